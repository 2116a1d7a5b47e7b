"""Alerts on what stands in a log."""

from collections.abc import Sequence

import pulumi
import pulumi_gcp as gcp

_RATE_LIMIT = "3600s"
_AUTO_CLOSE = "3600s"


def log_alert(
    name: str,
    *,
    project: pulumi.Input[str],
    title: str,
    found_by: pulumi.Input[str],
    advice: str,
    channels: Sequence[pulumi.Input[str]],
    parent: pulumi.Resource,
) -> gcp.monitoring.AlertPolicy:
    """Tell `channels` of lines of the log that the filter `found_by` finds, once an hour at most.

    https://cloud.google.com/logging/docs/alerting/log-based-alerts
    """
    return gcp.monitoring.AlertPolicy(
        name,
        project=project,
        display_name=title,
        combiner="OR",
        severity="WARNING",
        conditions=[{"display_name": title, "condition_matched_log": {"filter": found_by}}],
        documentation={"content": advice, "mime_type": "text/markdown"},
        alert_strategy={
            "auto_close": _AUTO_CLOSE,
            "notification_rate_limit": {"period": _RATE_LIMIT},
        },
        notification_channels=list(channels),
        opts=pulumi.ResourceOptions(parent=parent),
    )
