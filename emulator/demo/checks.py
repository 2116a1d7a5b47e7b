"""What must be true at the end of a demo, counted."""

from collections import Counter
from dataclasses import dataclass

from emulator.demo.pipelines import Pipeline, sample_messages
from emulator.runtime.emulator import Emulator


@dataclass(frozen=True)
class Check:
    """One count with what it has to be."""

    where: str
    what: str
    found: object
    wanted: object

    @property
    def good(self) -> bool:
        """Whether it is as it has to be."""
        return self.found == self.wanted


def checks_of(emulator: Emulator, pipeline: Pipeline) -> list[Check]:
    """Return the counts of a pipeline when all is delivered."""
    name, push = pipeline.name, pipeline.push
    rows = Counter(row["message_id"] for row in pipeline.rows(emulator))
    attempts = emulator.broker.attempts(push.id)
    handed = {id_ for id_ in pipeline.ids if id_ in attempts}
    good = [id_ for id_ in pipeline.good if id_ in handed]
    poison = [id_ for id_ in pipeline.poison if id_ in handed]
    checks = [
        Check(name, "messages with exactly one prediction", _once(rows, good), len(good)),
        Check(name, "predictions of anything else", rows.total() - _once(rows, good), 0),
        Check(
            name,
            "messages delivered again without a second prediction",
            _once(rows, pipeline.repeated),
            len(pipeline.repeated),
        ),
    ]
    if pipeline.held:
        held = sum(id_ not in attempts for id_ in pipeline.held)
        checks.append(Check(name, "messages the filter held back", held, len(pipeline.held)))
    if push.dead_letter_topic:
        dead = len(pipeline.dead(emulator))
        checks += [
            Check(name, "poison messages in the dead-letter topic", dead, len(poison)),
            Check(
                name,
                f"of them after {push.most_attempts} deliveries",
                sum(attempts[id_] == push.most_attempts for id_ in poison),
                len(poison),
            ),
        ]
    if pipeline.topic.schema is not None:
        refused = len(pipeline.refused)
        wanted = len(sample_messages()[pipeline.hosted.folder]["misfits"])
        checks.append(Check(name, "messages refused by the schema", refused, wanted))
    for archive in pipeline.archives:
        archived = pipeline.archived()
        wanted = emulator.broker.states(archive.id, pipeline.ids).total()
        checks += [
            Check(name, "messages archived in the lake", len(archived), wanted),
            Check(name, "of them different", len(set(archived)), wanted),
        ]
    return checks


def _once(rows: Counter[str], ids: list[str]) -> int:
    return sum(rows[id_] == 1 for id_ in ids)
