"""The figures as lines for people, part by part."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any


def table(report: Mapping[str, Any]) -> str:
    """Return the parts a report has, each under its name."""
    return "\n\n".join(
        "\n".join([name, *(f"  {line}" for line in lines(report[name]))])
        for name, lines in PARTS.items()
        if name in report
    )


def _stacks(stacks: Mapping[str, Any]) -> Iterator[str]:
    """Yield seconds, peak memory and the ratio to the bare program."""
    yield f"{'':<16}{'platform':>18}{'bare':>18}{'ratio':>8}"
    for stack, measured in stacks.items():
        for operation in ("preview", "up"):
            figures = measured[operation]
            ours, bare = (
                f"{figures[who]['seconds']:.1f} s {figures[who]['peak_mib']:.0f} MiB"
                for who in ("platform", "bare")
            )
            yield f"{stack + ' ' + operation:<16}{ours:>18}{bare:>18}{figures['ratio']:>8}"


def _growth(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for row in rows:
        yield (
            f"{row['models']:>3} models x {row['regions']}, {row['pipelines']} pipelines,"
            f" {row['consumers']} consumers, {row['teams']} teams: {row['resources']} resources,"
            f" preview {row['preview']['seconds']:.1f} s {row['preview']['peak_mib']:.0f} MiB,"
            f" up {row['up']['seconds']:.1f} s {row['up']['peak_mib']:.0f} MiB,"
            f" ratio {row['ratio']}"
        )


def _policies(policies: Mapping[str, Any]) -> Iterator[str]:
    preview = policies["unchanged_preview"]
    yield (
        f"unchanged preview of prod {preview['seconds']:.1f} s,"
        f" with the packs {preview['with_packs_seconds']:.1f} s:"
        f" {preview['added_seconds']:+.1f} s, {preview['added_percent']:+.0f}%"
    )
    yield (
        f"of processor time {preview['cpu_seconds']:.1f} s,"
        f" with the packs {preview['with_packs_cpu_seconds']:.1f} s:"
        f" {preview['added_cpu_seconds']:+.1f} s, {preview['added_cpu_percent']:+.0f}%"
    )
    yield from pack_growth(policies["growth"])


def pack_growth(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the packs' own time: it is linear while that of a resource stays the same."""
    for row in rows:
        yield (
            f"{row['resources']:>5} resources: one by one {row['each_seconds']:.2f} s,"
            f" the stack {row['stack_seconds']:.2f} s,"
            f" {row['ms_per_resource']:.2f} ms a resource, {row['resident_mib']:.0f} MiB"
        )


def _services(services: Mapping[str, Any]) -> Iterator[str]:
    for name, row in services.items():
        yield (
            f"{name}: ready in {row['ready_seconds']:.2f} s,"
            f" first answer {row['first_answer_seconds']:.2f} s"
        )
        yield (
            f"  {row['concurrency']} at a time: {row['requests_per_second']:.0f} requests/s,"
            f" p50 {row['p50_ms']:.0f} ms, p99 {row['p99_ms']:.0f} ms,"
            f" {row['peak_mib']:.0f} of {row['memory_limit_mib']} MiB"
            f" ({row['memory_percent']:.0f}%)"
        )


def _request_path(figures: Mapping[str, Any]) -> Iterator[str]:
    for name, row in figures.items():
        title = name.removesuffix("_ms")
        yield f"{title}: {row['path']} ms, direct {row['direct']}: {row['added']:+} ms"


PARTS: Mapping[str, Callable[[Any], Iterator[str]]] = {
    "stacks": _stacks,
    "growth": _growth,
    "policies": _policies,
    "services": _services,
    "request path": _request_path,
}
