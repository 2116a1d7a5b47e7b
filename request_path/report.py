"""Print journeys and findings: as text for people, as JSON for programs."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict

from request_path.explain import Hop, Journey
from request_path.finding import Finding


def journey_text(journey: Journey) -> str:
    """Return a journey with a numbered line for each hop."""
    request = journey.request
    lines = [f"{journey.region}: {request.method} https://{request.host}{request.path}"]
    lines += _numbered(journey.hops, 1)
    if journey.answer:
        lines.append("  the answer, on its way back:")
        lines += _numbered(journey.answer, len(journey.hops) + 1)
    return "\n".join(lines)


def _numbered(hops: Sequence[Hop], first: int) -> list[str]:
    steps = max(len(hop.step) for hop in hops)
    return [
        f"  {number:>2}  {hop.step:<{steps}}  {hop.name}{f': {hop.detail}' if hop.detail else ''}"
        for number, hop in enumerate(hops, first)
    ]


def findings_text(findings: Iterable[Finding]) -> str:
    """Return what is wrong and what is noted, a line each; what is wrong first."""
    ordered = sorted(findings, key=lambda finding: finding.note)
    return "\n".join(
        f"{'note' if each.note else 'finding'} [{each.code}] {each.line()}" for each in ordered
    )


def as_json(journeys: Iterable[Journey], findings: Iterable[Finding]) -> Mapping[str, object]:
    """Return both as what JSON can hold."""
    return {
        "journeys": [asdict(journey) for journey in journeys],
        "findings": [
            {
                "rule": finding.check.value,
                "code": finding.code,
                "object": finding.subject.label,
                "text": finding.text(),
                "note": finding.note,
            }
            for finding in findings
        ],
    }
