"""What the request path of prod costs a request, against a replica that is asked without it."""

from pathlib import Path
from typing import Any, Final

from bench.measure import say
from bench.stacks import made
from emulator.gateway.serve import missing
from launcher.load import PROGRAM, measured

_MODEL: Final = "qwen3-4b"
_REQUESTS: Final = 400


def request_path_figures(base: Path) -> dict[str, Any]:
    """Return the times of requests one after the other, in ms; nothing where it can't be run."""
    lacking = [*missing(), *(() if PROGRAM.exists() else ("guidellm",))]
    if lacking:
        say(f"SKIPPING the request path: {', '.join(lacking)} missing; `make load` has them")
        return {}
    found = measured(made("prod", base), _MODEL, 1, _REQUESTS)
    figures = {figure: found.figures("request_latency", figure) for figure in ("p50", "p99")}
    return {
        f"{figure}_ms": {
            "path": round(1000 * path, 1),
            "direct": round(1000 * direct, 1),
            "added": round(1000 * (path - direct), 1),
        }
        for figure, (path, direct) in figures.items()
    }
