"""Training: pipelines whose model is watched, trained again and released by canary."""

from typing import Annotated

from pydantic import Field

from catalog.limits import training as limits
from catalog.limits.images import IMAGE
from config.fields import Settings
from config.principals import Principal


class Training(Settings):
    """The loop of a pipeline's model: what people label of its messages makes the next version."""

    image: Annotated[str, IMAGE]
    """Image that watches and trains: built from services/sentiment_trainer, or one that takes the
    same messages and variables."""
    # Granted by the stack, under the names that members have.
    labellers: Annotated[tuple[Principal, ...], Field(exclude=True)] = ()
    """Who may write labels. Default: who may on the whole project alone."""
    check_schedule: Annotated[str, limits.CHECK_SCHEDULE] = limits.CHECK_SCHEDULE.default
    """When predictions and canaries are looked at: fields of cron, in UTC."""
    retrain_schedule: Annotated[str, limits.RETRAIN_SCHEDULE] = limits.RETRAIN_SCHEDULE.default
    """When a run begins without drift too: fields of cron, in UTC."""
    drift_threshold: Annotated[float, limits.DRIFT_THRESHOLD] = limits.DRIFT_THRESHOLD.default
    """Population stability index beyond which there is drift."""
    canary_percent: Annotated[int, limits.CANARY_PERCENT] = limits.CANARY_PERCENT.default
    """Percent of the messages that a new version gets first."""
    canary_hours: Annotated[int, limits.CANARY_HOURS] = limits.CANARY_HOURS.default
    """Hours a canary waits for labels; then it is rolled back."""
    cooldown_hours: Annotated[int, limits.COOLDOWN_HOURS] = limits.COOLDOWN_HOURS.default
    """Hours after a run in which no alert begins another one."""
    labels_days: Annotated[int, limits.LABELS_DAYS] = limits.LABELS_DAYS.default
    """Days that labels are kept and learned."""


def training_name(pipeline: str) -> str:
    """Return the name of what watches and trains a pipeline's model."""
    return f"{pipeline}-training"
