"""Prints catalog/vllm_options.yaml; runs inside the image of vLLM that the catalog names.

docker run --rm -i --entrypoint python3 IMAGE - < tools/vllm_options.py
"""

import argparse
import importlib
import textwrap
from collections import defaultdict
from typing import Any

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
    **dict.fromkeys(("parse_dataclass", "_parse_type", "loads"), "json"),
}


def kind(action: argparse.Action) -> str:
    """Return what a value of the option is."""
    if isinstance(action, argparse.BooleanOptionalAction):
        return "switch"
    if action.nargs == 0:
        return "flag"
    if action.nargs is not None or type(action).__name__ == "_AppendAction":
        return "list"
    reader: Any = action.type
    if getattr(reader, "__name__", "") == "_optional_type":
        reader = reader.__closure__[0].cell_contents
    return KINDS.get(getattr(reader, "__name__", ""), "text")


def main() -> None:
    """Write the options of the server's parser by kind, and the values that some are held to."""
    parsers = importlib.import_module("vllm.utils.argparse_utils")
    server: Any = importlib.import_module("vllm.entrypoints.openai.cli_args")
    parser = server.make_arg_parser(parsers.FlexibleArgumentParser())
    kinds: defaultdict[str, list[str]] = defaultdict(list)
    choices: dict[str, list[str]] = {}
    for action in parser._actions:  # noqa: SLF001 - argparse lists them nowhere else
        for name in action.option_strings:
            option = name.removeprefix("--")
            if name.startswith("--no-") and kind(action) == "switch":
                continue
            if not name.startswith("--") or option == "help":
                continue
            kinds[kind(action)].append(option)
            if action.choices:
                choices[option] = [str(choice) for choice in action.choices]
    version = importlib.import_module("importlib.metadata").version("vllm")
    print("# Options of vLLM's server, as its own argument parser has them; written by")
    print("# tools/vllm_options.py. `flag` takes no value, `switch` has a --no- form too.")
    print(f"version: {version}\nsource: {SOURCE.format(version)}")
    for title, table in (("kinds", kinds), ("choices", choices)):
        print(f"{title}:")
        for name, words in sorted(table.items()):
            print(f"  {name}: >-", textwrap.fill(" ".join(sorted(words)), **SHAPE), sep="\n")


main()
