"""Alerts on logs: incidents of Cloud Monitoring for lines that match a policy, told to topics.

https://cloud.google.com/logging/docs/alerting/log-based-alerts
https://cloud.google.com/monitoring/support/notification-options#schema-pubsub
"""

import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from emulator.messages.broker import Broker
from emulator.messages.publishing import Draft
from emulator.messages.resources import part, seconds
from emulator.runtime.log_filter import parsed
from sandbox.gcp.access import may
from sandbox.world import CloudResource, World

POLICY: Final = "gcp:monitoring/alertPolicy:AlertPolicy"
_CHANNEL: Final = "gcp:monitoring/notificationChannel:NotificationChannel"
_PUBLISH: Final = "pubsub.topics.publish"
_AGENT: Final = "service-{}@gcp-sa-monitoring-notification.iam.gserviceaccount.com"


class LogAlerts:
    """Reads what services have logged since the last time, and tells what policies say.

    A policy tells at most once in its notificationRateLimit, by the sandbox's clock.
    """

    def __init__(
        self, world: World, broker: Broker, folder: Path, now: Callable[[], float]
    ) -> None:
        self._world = world
        self._broker = broker
        self._folder = folder
        self._now = now
        self._read = {file: file.stat().st_size for file in folder.glob("*.log")}
        self._told: dict[str, float] = {}
        self._numbers = itertools.count(1)

    def tell(self) -> Mapping[str, int]:
        """Tell what there is to tell; return how many lines matched, by policy."""
        return self.tell_of(list(self._entries()))

    def tell_of(self, entries: Iterable[Mapping[str, str]]) -> Mapping[str, int]:
        """Tell what there is to tell of log entries, which have their values by path."""
        matched: dict[str, int] = {}
        for policy in self._world.by_type(POLICY):
            for condition in policy.inputs["conditions"]:
                log = condition.get("conditionMatchedLog")
                found = [each for each in entries if log and parsed(log["filter"])(each)]
                if found:
                    matched[policy.id] = len(found)
                    self._fire(policy, condition["displayName"])
        return matched

    def _entries(self) -> Iterator[Mapping[str, str]]:
        """Yield what was logged since the last time, by the paths that filters have."""
        for file in sorted(self._folder.glob("*.log")):
            with file.open("rb") as log:
                log.seek(self._read.get(file, 0))
                for line in log:
                    if not line.endswith(b"\n"):
                        break
                    self._read[file] = self._read.get(file, 0) + len(line)
                    try:
                        payload: dict[str, Any] = json.loads(line)
                    except ValueError:
                        continue
                    yield {
                        "resource.type": "cloud_run_revision",
                        "resource.labels.service_name": file.stem,
                        "severity": str(payload.get("severity", "DEFAULT")),
                        **{f"jsonPayload.{key}": str(value) for key, value in payload.items()},
                    }

    def _fire(self, policy: CloudResource, condition: str) -> None:
        limit = part(part(policy.inputs, "alertStrategy"), "notificationRateLimit")
        rest = seconds(limit.get("period"))
        last = self._told.get(policy.id)
        if last is not None and self._now() - last < rest:
            return
        self._told[policy.id] = self._now()
        incident = {
            "incident_id": f"0.sandbox{next(self._numbers)}",
            "policy_name": policy.inputs["displayName"],
            "condition_name": condition,
            "state": "open",
        }
        draft = Draft(json.dumps({"incident": incident, "version": "1.2"}).encode(), {})
        for name in policy.inputs.get("notificationChannels") or ():
            channel = self._world.get(_CHANNEL, name)
            topic = str(part(channel.inputs, "labels").get("topic", "")) if channel else ""
            project = "/".join(topic.split("/")[:2])
            if topic and self._may_publish(policy, topic, project):
                self._broker.publish(topic, [draft])

    def _may_publish(self, policy: CloudResource, topic: str, project: str) -> bool:
        owner = policy.project or policy.inputs["project"]
        agent = _AGENT.format(self._world.projects()[owner])
        return may(self._world, agent, _PUBLISH, topic, project)
