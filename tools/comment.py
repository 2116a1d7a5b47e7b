"""Put a report into a pull request: its comment is made once and then updated in place.

    python3 tools/comment.py FILE

The first line of the file tells the comment from others. GitHub's own `gh` speaks for the pipeline:
GITHUB_REPOSITORY, PULL_REQUEST (its number) and GH_TOKEN say where and as whom.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from problem import SetupProblemError


def put(text: str, repository: str, number: str) -> str:
    """Make or update the comment; return what was done. Raises SetupProblemError if refused."""
    comments = f"repos/{repository}/issues/{number}/comments"
    marker = text.partition("\n")[0]
    found = _gh("--paginate", "--slurp", f"{comments}?per_page=100")
    pages: list[list[dict[str, Any]]] = json.loads(found)
    own = [each["id"] for page in pages for each in page if _begins(each, marker)]
    body = json.dumps({"body": text})
    if own:
        _gh("--method", "PATCH", f"repos/{repository}/issues/comments/{own[0]}", body=body)
        return "updated"
    _gh("--method", "POST", comments, body=body)
    return "made"


def _begins(comment: dict[str, Any], marker: str) -> bool:
    """Return whether a comment is the pipeline's own: anyone may copy the first line."""
    return comment["user"]["type"] == "Bot" and comment["body"].startswith(marker)


def _gh(*arguments: str, body: str | None = None) -> str:
    given = ("--input", "-") if body is not None else ()
    try:
        done = subprocess.run(
            ["gh", "api", *arguments, *given],
            input=body,
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        raise SetupProblemError("no `gh` on PATH: install GitHub's CLI") from None
    if done.returncode:
        raise SetupProblemError(f"GitHub refuses: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def main() -> int:
    """Put the file's text into the pull request; return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="the report")
    file: Path = parser.parse_args().file
    try:
        text = file.read_text(encoding="utf-8")
        done = put(text, os.environ["GITHUB_REPOSITORY"], os.environ["PULL_REQUEST"])
    except KeyError as problem:
        print(f"error: the variable {problem} isn't set", file=sys.stderr)
        return 1
    except (SetupProblemError, OSError) as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    print(f"The comment was {done}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
