"""The declared output of the sentiment analyzer is what its code writes."""

from collections.abc import Mapping
from typing import cast

from google.protobuf.descriptor_pb2 import FieldDescriptorProto

from catalog import strict_yaml
from catalog.table import table
from config.checks.service_output import SERVICES
from services.sentiment_analyzer.row_message import INTEGERS, writer_schema


def test_declared_columns_are_those_of_the_code() -> None:
    text = (SERVICES / "sentiment_analyzer" / "output.yaml").read_text()
    columns = table(cast("Mapping[str, object]", strict_yaml.load(text)), "columns")
    written = {field.name: field for field in writer_schema().field}
    assert list(columns) == list(written)
    for name, column in columns.items():
        required = written[name].label == FieldDescriptorProto.LABEL_REQUIRED
        assert (column["mode"] == "REQUIRED") == required
        assert (column["type"] in {"INTEGER", "TIMESTAMP"}) == (name in INTEGERS)
