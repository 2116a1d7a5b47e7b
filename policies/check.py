"""Check the policy config: `python -m policies.check [--write] [FILE...]`.

Without a file: every environment, and that each pack's config is what the environment's file says;
`--write` makes it so. With files: config files beside a pack, such as those of an own environment.
"""

import sys
from functools import partial
from pathlib import Path

from policies.environment import ENVIRONMENTS, config_files, environments
from policies.rules.config import PolicyConfigError
from policies.rules.packs import ALL, PACKS, check_config

_WRITE = "--write"


def main(arguments: list[str]) -> int:
    """Check each file; 0 when all can be used, 1 with the problems on standard error."""
    files = [Path(each).resolve() for each in arguments if each != _WRITE]
    write = _WRITE in arguments
    checks = [partial(_check_file, path) for path in files] or [
        partial(_check_environment, name, write=write) for name in environments()
    ]
    failed = False
    for check in checks:
        try:
            check()
        except PolicyConfigError as error:
            print(error, file=sys.stderr)
            failed = True
    return 1 if failed else 0


def _check_file(path: Path) -> None:
    if path.parent.name not in (*PACKS, ALL):
        raise PolicyConfigError(
            f"{path}: not beside a pack, allowed folders: {', '.join((*PACKS, ALL))}; "
            "keep the policy config in the folder of its pack"
        )
    check_config(path)


def _check_environment(name: str, *, write: bool) -> None:
    for path, wanted in config_files(name).items():
        if write:
            path.write_text(wanted, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != wanted:
            raise PolicyConfigError(
                f"{path}: differs from {ENVIRONMENTS.name}/{name}.yaml; "
                "run `python -m policies.check --write`"
            )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
