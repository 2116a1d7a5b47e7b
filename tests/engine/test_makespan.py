"""How long an `up` takes with so many calls at once as `make up CLOUD=gcp` asks the engine for."""

from collections.abc import Callable

import pytest

from launcher.engine_events import dependency_graph
from launcher.pulumi_cli import PARALLEL, command_line
from plans.duration import duration, makespan
from plans.plan import STACK, Recorder, plan_of
from tests.engine.conftest import Rehearsal

MOST = 1.05
"""Times the longest path."""


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_an_up_takes_hardly_longer_than_its_longest_path(
    stack: str, brought_up: Callable[[str], Rehearsal]
) -> None:
    resources = brought_up(stack).deployment()["resources"]
    recorder = Recorder()
    for each in resources:
        if each["type"] != STACK:
            recorder.take("create", each["urn"], each["type"], None, each, ())
    wired = dependency_graph(resources)
    then = {"needs": {}, "properties": {}}
    found = duration(plan_of({"stack": stack, "steps": recorder.steps, "now": wired, "then": then}))
    slow, alone = makespan(found, PARALLEL), makespan(found, 1)
    assert slow[0] <= MOST * found.least
    assert slow[1] <= MOST * found.most
    assert alone[1] > MOST * found.most
    # Nothing can be quicker than the chain of what waits for each other.
    assert makespan(found, len(resources)) == pytest.approx((found.least, found.most))


@pytest.mark.parametrize("operation", ["up", "destroy", "refresh", "import"])
def test_the_ordinary_command_is_asked_for_as_many(
    operation: str, fakes: Callable[..., object], brought_up: Callable[[str], Rehearsal]
) -> None:
    places = brought_up("dev").places
    fakes("pulumi")
    line = command_line(operation, places)
    assert line[line.index("--parallel") + 1] == str(PARALLEL)
