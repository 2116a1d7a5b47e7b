"""vLLM's own parser takes what the stack files put into its servers, and has what the catalog says.

tests/kubernetes/test_every_option.py gives it those of every option.
"""

import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from catalog import releases, vllm_options
from catalog.limits import inference as limits
from catalog.vllm_options import OPTIONS, Value
from components.inference.vllm import argument
from config.load import from_file
from launcher.paths import ROOT
from stacks.platform import build_platform
from tests.programs.vllm_server import NEEDED, PYTHON, commands, refusals, refused
from tests.unit.harness import run

SERVE = ["vllm", "serve", "Qwen/Qwen3-4B"]
VALUES: Final[Sequence[Value]] = (
    *(1, -1, 0.5, 1e-3, True, False, "two", "auto", "None", "", "1.5k", "1.5K", "8k", "8K", "8Ki"),
    *("{}", "[]", '{"a": 1', "{a}", "2 000"),
)
"""Of every kind, and of none."""
IN_THE_IMAGE: Final = {"chat-template"}
"""Options whose value may be a file that is there."""


def test_the_options_are_those_of_the_release_in_use() -> None:
    assert releases.IMAGES["vllm"].image.endswith(f":v{vllm_options.VERSION}")


@NEEDED
def test_the_catalog_has_the_options_of_the_parser() -> None:
    printed = subprocess.run(
        [PYTHON, ROOT / "tools" / "vllm_options.py"], capture_output=True, text=True, check=True
    )
    assert printed.stdout == (ROOT / "catalog" / "vllm_options.yaml").read_text()


@NEEDED
def test_vllm_takes_every_argument_list() -> None:
    objects: list[Mapping[str, Any]] = []
    for file in sorted(ROOT.glob("Pulumi.*.yaml")):
        platform = from_file(file)
        made = run(lambda platform=platform: build_platform(platform)).resources
        lists = [*commands(each.inputs for each in made)]
        assert lists, file
        objects += (each.inputs for each in made)
    assert refusals(objects) == {}


@NEEDED
def test_vllm_takes_every_value_that_a_stack_file_may_give_an_option() -> None:
    cases = [
        (name, value)
        for name, option in OPTIONS.items()
        for value in (*VALUES, *_written_otherwise(option.choices))
        if {name}.isdisjoint((*limits.OWN_FLAGS, *limits.BESIDE, *IN_THE_IMAGE))
        if option.allowed(value) is None
    ]
    lists = [argument(name, value) for name, value in cases]
    assert len(lists) > 1000
    answers = refused([[*SERVE, each] for each in lists])
    assert [(each, why) for each, why in zip(lists, answers, strict=True) if why] == []


def _written_otherwise(choices: Iterable[str]) -> Iterator[str]:
    for choice in choices:
        yield from (choice, choice.upper(), choice.replace("_", "-"))


@NEEDED
def test_vllm_takes_some_options_beside_another_alone() -> None:
    with_other = {
        option: argument(other, "hermes" if other == "tool-call-parser" else True)
        for option, other in limits.BESIDE.items()
    }
    assert None not in refused([[*SERVE, f"--{each}"] for each in with_other])
    both = refused([[*SERVE, f"--{each}", other] for each, other in with_other.items()])
    assert both == [None] * len(both)


@NEEDED
def test_vllm_refuses_what_it_does_not_know() -> None:
    wrong = [
        "--swap-space=4",
        "--tensor-parallel-size=two",
        "--dtype=int4",
        "--no-headless",
        "--enable-auto-tool-choice",
        '--compilation-config={"levl": 3}',
        '--lora-modules={"name": "tone"}',
    ]
    image = releases.IMAGES["vllm"].image
    server = {"name": "vllm", "image": image, "command": SERVE[:2], "args": SERVE[2:]}
    lists = [{"containers": [{**server, "args": [*server["args"], each]}]} for each in wrong]
    assert len(refusals([*lists, {"containers": [server]}])) == len(wrong)
