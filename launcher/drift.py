"""`make drift`: says what was changed or deleted by hand, and changes nothing."""

import sys

from pulumi import automation

from catalog.config_folder import make_command
from catalog.words import plural
from launcher.audit_log import last_changes
from launcher.console import show
from launcher.differences import Differences, compare, lines_of
from launcher.engine import open_stack_on_gcp, reason_of
from launcher.operations import opened
from launcher.paths import StackPaths
from launcher.problem import LaunchError
from plans.drift import CLASSES


def drift(places: StackPaths, cloud: str) -> None:
    """Print what the cloud has otherwise than the state, by class, who did it, and what mends it.

    Raises LaunchError if anything differs, or if the cloud can't be read.
    """
    show(f"comparing {places.stack} with {cloud} ...", sys.stderr)
    compared = differences(places, cloud)
    found = compared.found
    if not found:
        show(f"Nothing of {places.stack} differs from the state.")
        return
    by = last_changes([each.step for each in found]) if cloud == "gcp" else {}
    for kind in CLASSES:
        group = [each for each in found if each.classes[0] == kind]
        if group:
            show(f"\n{kind.capitalize()}:")
        for each in group:
            show("\n".join(lines_of(compared, each, by.get(each.step.urn))))
    beside = [
        each
        for urn, several in compared.findings.items()
        if urn not in {each.step.urn for each in found}
        for each in several
    ]
    if beside:
        show("\nWhat the policies find with it, of resources that are as they were:")
        show("\n".join(f"  {each.subject}: {each.rule['id']}: {each.text}" for each in beside))
    where = f"STACK={places.stack}{' CLOUD=gcp' if cloud == 'gcp' else ''}"
    first = "after the questions above, " if any(each.ask for each in found) else ""
    raise LaunchError(
        f"{plural(len(found), 'resource')} of {places.stack} "
        f"{'differs' if len(found) == 1 else 'differ'} from the state: {first}"
        f"`{make_command(f'refresh {where}')}` and then `{make_command(f'up {where}')}` put back "
        "what the stack file says"
    )


def differences(places: StackPaths, cloud: str) -> Differences:
    """Compare every resource with the state. Raises LaunchError if the cloud can't be read."""
    if cloud != "gcp":
        if not places.checkpoint.exists():
            raise places.missing("yet")
        with opened(places) as (stack, _):
            return compare(stack, places, places.recorded())
    stack, recorded, config = open_stack_on_gcp(places)
    try:
        return compare(stack, places, recorded, config=config)
    except automation.CommandError as problem:
        raise LaunchError(f"{places.stack} can't be compared: {reason_of(problem)}") from problem
