"""Limits of models that are watched and trained again."""

from dataclasses import replace
from typing import Final

from catalog.limits import Range
from catalog.limits.schedules import SCHEDULE

CHECK_SCHEDULE: Final = replace(SCHEDULE, default="0 * * * *")
RETRAIN_SCHEDULE: Final = replace(SCHEDULE, default="0 3 * * 1")
DRIFT_THRESHOLD: Final = Range(0.05, 10.0, default=0.25)
CANARY_PERCENT: Final = Range(1, 50, "percent", default=10)
CANARY_HOURS: Final = Range(1, 720, "hours", default=72)
COOLDOWN_HOURS: Final = Range(0, 720, "hours", default=24)
LABELS_DAYS: Final = Range(1, 3650, "days", default=365)
