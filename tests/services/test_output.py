"""The declared output of each service is what its code writes."""

from collections.abc import Mapping
from typing import cast

import pytest
from google.protobuf.descriptor_pb2 import FieldDescriptorProto

from catalog import strict_yaml
from catalog.table import table
from config.checks.service_output import SERVICES
from services.common import prediction_log
from services.common.row_message import writer_schema
from services.common.sink import RowShape
from services.sentiment_analyzer import results


@pytest.mark.parametrize(
    ("service", "shape"),
    [
        ("sentiment_analyzer", results.SHAPE),
        ("llm_backend", prediction_log.SHAPE),
        ("batch_inference", prediction_log.SHAPE),
    ],
)
def test_declared_columns_are_those_of_the_code(service: str, shape: RowShape) -> None:
    text = (SERVICES / service / "output.yaml").read_text()
    columns = table(cast("Mapping[str, object]", strict_yaml.load(text)), "columns")
    written = {field.name: field for field in writer_schema(shape).field}
    assert list(columns) == list(written)
    for name, column in columns.items():
        required = written[name].label == FieldDescriptorProto.LABEL_REQUIRED
        assert (column["mode"] == "REQUIRED") == required
        whole = written[name].type == FieldDescriptorProto.TYPE_INT64
        assert (column["type"] in {"INTEGER", "TIMESTAMP"}) == whole
