"""Reads JSON as Cloud Monitoring's API does, without a field that it doesn't know.

    python monitoring_api.py < [[type, text], ...]

Prints what each text is refused for, or null. A program of its own: Google's clients bring types of
protocol buffers that Pulumi has too.
"""

import json
import sys

from google.cloud import monitoring_dashboard_v1, monitoring_v3
from google.protobuf.json_format import ParseError

TYPES = {
    "AlertPolicy": monitoring_v3.AlertPolicy,
    "CustomService": monitoring_v3.Service,
    "Dashboard": monitoring_dashboard_v1.Dashboard,
    "NotificationChannel": monitoring_v3.NotificationChannel,
    "Slo": monitoring_v3.ServiceLevelObjective,
}


def refusal(type_: str, text: str) -> str | None:
    """Return why the API doesn't take the text, if it doesn't."""
    try:
        TYPES[type_].from_json(text, ignore_unknown_fields=False)
    except ParseError as problem:
        return str(problem)
    return None


if __name__ == "__main__":
    json.dump([refusal(type_, text) for type_, text in json.load(sys.stdin)], sys.stdout)
