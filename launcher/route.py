"""The command line behind `make route`: what a request takes, or all that is wrong with the ways.

Exit codes: 0 for a whole way or no finding, 1 for an error or findings, 2 for wrong usage.
"""

import argparse
import difflib
import json
import sys
from collections.abc import Sequence
from typing import Final

from catalog.words import plural
from launcher.arguments import Parser
from launcher.console import show
from launcher.deployment import exported_resources, sandbox_resources
from launcher.ending import exit_code_of
from launcher.paths import stack_paths
from launcher.problem import LaunchError
from policies.engine.config import PolicyConfigError
from policies.engine.environment import file_of, settings_of
from request_path.checks import findings_of
from request_path.explain import Journey, journeys, models_in
from request_path.finding import Check, Finding
from request_path.objects import Objects
from request_path.reading import read
from request_path.report import as_json, findings_text, journey_text

DEFAULT_PATH: Final = "/v1/chat/completions"


def main(arguments: Sequence[str] | None = None) -> int:
    """Explain or check; returns the exit code."""
    parser = Parser(prog="python -m launcher.route", description=__doc__)
    parser.add_argument("--stack", default="dev", help="the stack to look at")
    parser.add_argument("--cloud", choices=("sandbox", "gcp"), default="sandbox")
    parser.add_argument("--model", default="", help="a model name; none checks all of them")
    parser.add_argument("--path", default="", help=f"path of the request (default {DEFAULT_PATH})")
    parser.add_argument("--json", action="store_true", help="print JSON")
    chosen = parser.parse_args(arguments)
    if chosen.path and not chosen.path.startswith("/"):
        parser.error(f"argument --path: found {chosen.path!r}, which is no path; begin it with /")
    return exit_code_of(lambda: _route(chosen))


def _route(chosen: argparse.Namespace) -> int:
    places = stack_paths(chosen.stack)
    resources = (exported_resources if chosen.cloud == "gcp" else sandbox_resources)(places)
    objects = read(resources)
    if not objects.gateways:
        raise LaunchError(f"{chosen.stack} has no Gateway, so there is no way to a model")
    findings = findings_of(objects, unscreened_models(chosen.stack))
    if not chosen.model:
        return _check(chosen.stack, objects, findings, as_text=not chosen.json)
    return _explain(
        objects, findings, chosen.model, chosen.path or DEFAULT_PATH, as_text=not chosen.json
    )


def unscreened_models(stack: str) -> frozenset[str]:
    """Return the models that the policies of a stack allow to go without a guardrail."""
    try:
        file = file_of(stack)
        settings = settings_of(file) if file.exists() else {}
    except PolicyConfigError as problem:
        raise LaunchError(str(problem)) from problem
    found = settings.get(Check.GUARDED.value)
    return frozenset(found.limits.names("unscreenedModels") if found else ())


def _check(stack: str, objects: Objects, findings: list[Finding], *, as_text: bool) -> int:
    wrong = [finding for finding in findings if not finding.note]
    if as_text:
        if findings:
            show(findings_text(findings))
        show(
            f"{stack}: {plural(len(models_in(objects)), 'model')}, "
            f"{plural(len(objects.routes), 'route')}, "
            f"{plural(len(objects.gateways), 'gateway')}: {plural(len(wrong), 'finding')}"
        )
    else:
        print(json.dumps(as_json([], findings), indent=2))
    return 1 if wrong else 0


def _explain(
    objects: Objects, findings: list[Finding], model: str, path: str, *, as_text: bool
) -> int:
    known = models_in(objects)
    if model not in known:
        close = difflib.get_close_matches(model, known, n=1)
        hint = f" (did you mean {close[0]}?)" if close else ""
        raise LaunchError(f"no model named {model!r}{hint}; models: {', '.join(known)}")
    ways: list[Journey] = journeys(objects, model, path)
    if as_text:
        show("\n\n".join(journey_text(way) for way in ways))
        if findings:
            show(f"\n{findings_text(findings)}")
    else:
        print(json.dumps(as_json(ways, findings), indent=2))
    return 0 if any(way.arrives for way in ways) else 1


if __name__ == "__main__":
    sys.exit(main())
