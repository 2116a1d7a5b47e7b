"""Check the policy config: `python -m policies.check [--write] [FILE...]`.

Without a file: every environment, and that each pack's config is what the environment's file says;
`--write` makes it so. With files: environments of one's own, `staging.yaml`, kept anywhere, whose
configs `--write` makes beside them as `<pack>/staging.json`; or config files, `staging.json`, in a
folder called like the pack.
"""

import sys
from functools import partial
from pathlib import Path

from policies.environment import ENVIRONMENTS, config_files, configs_of, environments
from policies.rules.config import PolicyConfigError
from policies.rules.packs import ALL, PACKS, check_config

_WRITE = "--write"
_ENVIRONMENT = (".yaml", ".yml")


def main(arguments: list[str]) -> int:
    """Check each file; 0 when all can be used, 1 with the problems on standard error."""
    files = [Path(each).resolve() for each in arguments if each != _WRITE]
    write = _WRITE in arguments
    wrong = [each for each in arguments if each.startswith("-") and each != _WRITE]
    if wrong:
        print(f"{wrong[0]}: no such option, allowed: {_WRITE}", file=sys.stderr)
        return 2
    checks = [partial(_check_file, path, write=write) for path in files] or [
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


def _check_file(path: Path, *, write: bool) -> None:
    if path.suffix in _ENVIRONMENT:
        made = configs_of(path, path.parent)
        for file, wanted in made.items() if write else ():
            file.parent.mkdir(exist_ok=True)
            _put(file, wanted)
        return
    if path.parent.name not in (*PACKS, ALL):
        raise PolicyConfigError(
            f"{path}: not beside a pack, allowed folders: {', '.join((*PACKS, ALL))}; "
            "keep the policy config in a folder called like its pack"
        )
    check_config(path)


def _check_environment(name: str, *, write: bool) -> None:
    for path, wanted in config_files(name).items():
        if _holds(path, wanted):
            continue
        if not write:
            raise PolicyConfigError(
                f"{path}: differs from {ENVIRONMENTS.name}/{name}.yaml; "
                "run `python -m policies.check --write`"
            )
        _put(path, wanted)


def _put(path: Path, wanted: str) -> None:
    if not _holds(path, wanted):
        path.write_text(wanted, encoding="utf-8")
        print(f"wrote {path}")


def _holds(path: Path, wanted: str) -> bool:
    return path.exists() and path.read_text(encoding="utf-8") == wanted


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
