"""The command line behind the make targets."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from launcher.arguments import Parser
from launcher.asking import ASKING, OVERWRITE
from launcher.backend import init
from launcher.capacity import capacity
from launcher.doctor import doctor
from launcher.drift import drift
from launcher.ending import exit_code_of
from launcher.gateway import AT_ONCE, MODEL, SIMULATED, Wanted, serve
from launcher.image_lock import lock_images
from launcher.images import push
from launcher.load import CONCURRENCY, REQUESTS, load
from launcher.new_environment import new_environment
from launcher.operations import OPERATIONS
from launcher.paths import StackPaths, stack_paths
from launcher.plan_report import report, tell_if_missing
from launcher.policy_report import FORMATS, policy
from launcher.pulumi_cli import exec_pulumi
from launcher.rehearsal.life import rehearse

_OTHERS = (
    *(
        "capacity",
        "doctor",
        "drift",
        "init",
        "load",
        "lock-images",
        "new",
        "policy",
        "rehearse",
        "report",
    ),
    "serve",
)
_ON_EITHER: Mapping[str, Callable[[StackPaths, str], None]] = {
    "doctor": doctor,
    "drift": drift,
    "report": report,
}
_REQUESTS: Mapping[str, Callable[[StackPaths, argparse.Namespace], None]] = {
    "load": lambda places, chosen: load(places, chosen.model, chosen.concurrency, chosen.requests),
    "serve": lambda places, chosen: serve(
        places,
        chosen.cloud,
        Wanted(chosen.port, chosen.speed, chosen.consumer, chosen.answers, explained=True),
    ),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one operation; return the exit code: 0, 1 for a failure, 130 when interrupted."""
    parser = Parser(prog="python -m launcher", description=__doc__)
    parser.add_argument(
        "operation",
        choices=sorted((*OPERATIONS, *_OTHERS)),
    )
    parser.add_argument("--stack", default="dev", help="the stack whose Pulumi.<stack>.yaml to use")
    parser.add_argument(
        "--cloud", choices=("sandbox", "gcp"), default="sandbox", help="where to do it"
    )
    parser.add_argument("--format", choices=FORMATS, default="text", help="of what `policy` prints")
    parser.add_argument("--state", type=Path, help="an exported state for `policy` to judge")
    parser.add_argument("--stockout", default="", help="what is out for `capacity`: zone/type")
    parser.add_argument("--quotas", type=Path, help="`gcloud compute regions list --format=json`")
    parser.add_argument(
        "--skip-preview", action="store_true", help="whether `up` on the sandbox makes at once"
    )
    parser.add_argument(
        "--drift",
        default="",
        choices=(OVERWRITE,),
        help="whether `up` and `refresh` undo without asking what must be asked",
    )
    parser.add_argument("--secrets", default="", help="the secrets provider of `init`")
    parser.add_argument(
        "--program",
        default="",
        choices=("", "identity"),
        help="the program beside the platform's whose stack `init` makes",
    )
    parser.add_argument("--model", default="", help="the model that `load` asks")
    parser.add_argument("--concurrency", type=int, default=CONCURRENCY, help="of `load`")
    parser.add_argument("--requests", type=int, default=REQUESTS, help="of `load`")
    parser.add_argument("--port", type=int, default=0, help="of `serve`; a free one without")
    parser.add_argument("--speed", type=float, default=AT_ONCE, help="of the servers of `serve`")
    parser.add_argument("--consumer", default="", help="whose load balancer `serve` has in front")
    parser.add_argument(
        "--answers",
        default="",
        choices=("", MODEL, SIMULATED),
        help="what answers for models in `serve` and `demo`",
    )
    parser.add_argument("--env", default="", help="the environment that `new` writes")
    for name, side in (("from", "start"), ("to", "end")):
        told = f"stack file or Git revision that `rehearse` changes {name}"
        parser.add_argument(f"--{name}", dest=side, default="", help=told)
    chosen = parser.parse_args(arguments)
    if chosen.skip_preview and (chosen.operation, chosen.cloud) != ("up", "sandbox"):
        parser.error("--skip-preview: found beside another operation; allowed: `up` on the sandbox")
    return exit_code_of(lambda: _do(chosen))


def _do(chosen: argparse.Namespace) -> int:
    if chosen.operation == "new":
        new_environment(chosen.env, chosen.stack)
        return 0
    if chosen.operation == "report":
        tell_if_missing(chosen.stack)
    places = stack_paths(chosen.stack)
    if chosen.operation == "init":
        init(places, chosen.secrets, chosen.program)
    elif chosen.operation in _ON_EITHER:
        _ON_EITHER[chosen.operation](places, chosen.cloud)
    elif chosen.operation == "lock-images":
        lock_images(places)
    elif chosen.operation == "policy":
        policy(places, chosen.cloud, chosen.format, chosen.state)
    elif chosen.operation == "capacity":
        capacity(places, chosen.cloud, chosen.stockout, chosen.quotas)
    elif chosen.operation in _REQUESTS:
        _REQUESTS[chosen.operation](places, chosen)
    elif chosen.operation == "rehearse":
        rehearse(places, chosen.start, chosen.end)
    elif chosen.cloud == "sandbox":
        OPERATIONS[chosen.operation](places, **_options(chosen), **_asking(chosen))
    elif chosen.operation == "images":
        push(places)
    else:
        exec_pulumi(chosen.operation, places, **_asking(chosen))
    return 0


def _options(chosen: argparse.Namespace) -> Mapping[str, Any]:
    """Return what is given to an operation beside its places."""
    answers = {"answers": chosen.answers} if chosen.operation == "demo" else {}
    return {**answers, **({"skip_preview": True} if chosen.skip_preview else {})}


def _asking(chosen: argparse.Namespace) -> Mapping[str, bool]:
    """Return whether an operation asks, where it is one that may."""
    return {"asks": chosen.drift != OVERWRITE} if chosen.operation in ASKING else {}
