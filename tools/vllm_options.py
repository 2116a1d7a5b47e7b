"""Runs the argument parser of vLLM's server, in an environment that has vLLM, without its engine.

    .engine/vllm/bin/python tools/vllm_options.py > catalog/vllm_options.yaml
    .engine/vllm/bin/python tools/vllm_options.py --refused < LISTS

The first prints the options that it has. The second reads command lines as JSON, `[["vllm",
"serve", "--port=1"]]`, and prints what is refused of each, or null. vLLM's server for TPUs is the
same: its plugin adds no option.

What is not there, such as PyTorch, is made up, as vLLM's own documentation does:
https://github.com/vllm-project/vllm/blob/v0.26.0/docs/mkdocs/hooks/generate_argparse.py
"""

import argparse
import contextlib
import importlib
import importlib.metadata
import io
import json
import sys
import textwrap
from collections import defaultdict
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from typing import Any, Final
from unittest.mock import MagicMock

SOURCE = "https://github.com/vllm-project/vllm/blob/v{}/vllm/entrypoints/openai/cli_args.py"
SHAPE: Any = {
    "width": 100,
    "initial_indent": "    ",
    "subsequent_indent": "    ",
    "break_long_words": False,
    "break_on_hyphens": False,
}
KINDS = {
    "int": "integer",
    "float": "number",
    "human_readable_int": "amount",
    "parse_dataclass": "object",
    "union_dict_and_str": "either",
    **dict.fromkeys(("_parse_type", "loads"), "json"),
}
MOST_MADE_UP: Final = 400


class MadeUp(MagicMock):
    """A module, or a type of one, that any value fits."""

    def __get_pydantic_core_schema__(self, *_: object) -> dict[str, Any]:
        return {"type": "any"}


class Layer:
    """What layers of models are registered with."""

    @staticmethod
    def register(_name: str) -> Callable[[object], object]:
        """Leave a layer as it is."""
        return lambda layer: layer


def _make_up(name: str, **known: object) -> None:
    made = MadeUp(name=name, __spec__=ModuleSpec(name, None), __path__=[], **known)
    sys.modules[name] = made


def _with_what_is_missing(load: Callable[[], object]) -> object:
    """Load what needs modules that aren't there."""
    for _ in range(MOST_MADE_UP):
        try:
            return load()
        except ModuleNotFoundError as missing:
            _make_up(str(missing.name))
    raise RuntimeError("vLLM needs too much that is not there")


class Server:
    """The command lines of vLLM's server, each with the program's own checks before it starts."""

    def __init__(self) -> None:
        self.version = importlib.metadata.version("vllm")
        # They are compared with what vLLM needs at least.
        importlib.metadata.version = self._version
        # The engine's own modules that PyTorch is called by as they are loaded.
        _make_up("torch.nn", Parameter=object)
        _make_up("vllm.ir")
        _make_up("vllm.model_executor.custom_op", CustomOp=Layer, PluggableLayer=Layer)
        _make_up("vllm.platforms")
        _make_up("vllm.utils.torch_utils")
        _make_up("vllm.v1.executor", Executor=object)
        _with_what_is_missing(self._load)

    def _version(self, distribution_name: str) -> str:
        return self.version if distribution_name == "vllm" else "99.0"

    def _load(self) -> None:
        flexible: Any = importlib.import_module("vllm.utils.argparse_utils").FlexibleArgumentParser
        self._options = importlib.import_module("vllm.entrypoints.openai.cli_args")
        serve = importlib.import_module("vllm.entrypoints.cli.serve").ServeSubcommand()
        self._engine = importlib.import_module("vllm.engine.arg_utils").AsyncEngineArgs
        # Put together as in vllm/entrypoints, by openai/api_server.py and by cli/main.py.
        self.parser = self._options.make_arg_parser(flexible())
        self._command_line = flexible()
        serve.subparser_init(self._command_line.add_subparsers(dest="subparser"))

    def refused(self, command: Sequence[str]) -> str | None:
        """Return what a command line is refused with, None where it is taken."""
        program, *rest = command
        parser = self._command_line if program == "vllm" else self.parser
        given = rest if program == "vllm" else rest[2:]
        words = io.StringIO()
        try:
            with contextlib.redirect_stderr(words), contextlib.redirect_stdout(words):
                read = parser.parse_args(given)
                self._options.validate_parsed_serve_args(read)
                _with_what_is_missing(lambda: self._engine.from_cli_args(read))
        except SystemExit:
            return words.getvalue().partition(": error: ")[2].strip()
        except (TypeError, ValueError) as refusal:
            return str(refusal)
        return None


def kind(action: argparse.Action) -> str:
    """Return what a value of the option is."""
    if isinstance(action, argparse.BooleanOptionalAction):
        return "switch"
    if action.nargs == 0:
        return "flag"
    reader: Any = action.type
    while getattr(reader, "__name__", "") in ("_optional_type", "_parse_type"):
        reader = reader.__closure__[0].cell_contents
    found = KINDS.get(getattr(reader, "__name__", ""), "text")
    if action.nargs is not None or type(action).__name__ == "_AppendAction":
        return "integers" if found == "integer" else "list"
    # Those whose words may be written otherwise have a reader of their own.
    own = getattr(reader, "__name__", "") == "<lambda>"
    return "word" if action.choices and own else found


def catalog(server: Server) -> str:
    """Return the options of the server's parser by kind, and the values that some are held to."""
    kinds: defaultdict[str, list[str]] = defaultdict(list)
    choices: dict[str, list[str]] = {}
    for action in server.parser._actions:  # noqa: SLF001 - argparse lists them nowhere else
        for name in action.option_strings:
            option = name.removeprefix("--")
            if name.startswith("--no-") and kind(action) == "switch":
                continue
            if not name.startswith("--") or option == "help":
                continue
            kinds[kind(action)].append(option)
            if action.choices:
                # None is there for those that aren't given.
                choices[option] = [each for each in map(str, action.choices) if each != "None"]
    lines = [
        "# Options of vLLM's server, as its own argument parser has them; written by",
        "# tools/vllm_options.py. `flag` takes no value, `switch` has a --no- form too.",
        f"version: {server.version}\nsource: {SOURCE.format(server.version)}",
    ]
    for title, table in (("kinds", kinds), ("choices", choices)):
        lines.append(f"{title}:")
        for name, words in sorted(table.items()):
            lines += [f"  {name}: >-", textwrap.fill(" ".join(sorted(words)), **SHAPE)]
    return "\n".join(lines)


def main() -> None:
    """Print what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--refused", action="store_true", help="read command lines")
    chosen = parser.parse_args()
    # What vLLM tells while it starts is none of what is asked for.
    with contextlib.redirect_stdout(sys.stderr):
        server = Server()
    if chosen.refused:
        print(json.dumps([server.refused(each) for each in json.load(sys.stdin)]))
    else:
        print(catalog(server))


if __name__ == "__main__":
    main()
