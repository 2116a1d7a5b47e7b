"""What is sent and never read back: it is in no answer, and its change alone changes nothing.

https://www.pulumi.com/docs/iac/concepts/secrets/write-only-fields/
"""

from catalog.conventions import WRITE_ONLY
from sandbox.values import Secret, Value, Values, is_list, is_map


def readable(values: Values) -> Values:
    """Return properties without those that are write-only, at every level."""
    return {name: _inside(value) for name, value in values.items() if not name.endswith(WRITE_ONLY)}


def _inside(value: Value) -> Value:
    if isinstance(value, Secret):
        return Secret(_inside(value.value))
    if is_list(value):
        return [_inside(each) for each in value]
    return readable(value) if is_map(value) else value
