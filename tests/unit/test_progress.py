"""What the engine's events come to in words."""

from pulumi.automation.events import DiagnosticEvent, EngineEvent

from launcher.progress import UNFORESEEN, Progress
from resources.gpus import CLUSTER

URN = "urn:pulumi:dev::inference::"


def said(severity: str) -> EngineEvent:
    urn = f"{URN}gcp:compute/address:Address::entry"
    event = DiagnosticEvent(f"{UNFORESEEN}.\nThis preview ...", "", severity, urn=urn)
    return EngineEvent(1, 0, diagnostic_event=event)


def test_behind_a_provider_that_is_not_known_stands_a_cluster_that_is_made_anew() -> None:
    progress = Progress(preview=True)
    progress.recorder.take("replace", f"{URN}{CLUSTER}::main", CLUSTER, {}, {}, ["subnetwork"])
    progress.on_event(said("warning"))
    assert progress.errors == []
    progress.on_event(said("error"))
    (error,) = progress.errors
    assert error.startswith("entry: is to be made anew, and so is a cluster: main (for another ")
    assert "(for another subnetwork)" in error
