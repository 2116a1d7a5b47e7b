"""Check policy config files: `python -m policies.check [FILE...]`, all of them by default."""

import sys
from pathlib import Path

from policies.rules.config import PolicyConfigError
from policies.rules.packs import PACKS, check_config

_HERE = Path(__file__).resolve().parent


def main(arguments: list[str]) -> int:
    """Check each file; 0 when all can be used, 1 with the problems on standard error."""
    files = [Path(each).resolve() for each in arguments] or [
        path for pack in PACKS for path in sorted((_HERE / pack).glob("*.json"))
    ]
    failed = False
    for path in files:
        try:
            if path.parent.name not in PACKS:
                raise PolicyConfigError(
                    f"{path}: not beside a pack, allowed folders: {', '.join(PACKS)}; "
                    "keep the policy config in the folder of its pack"
                )
            check_config(path)
        except PolicyConfigError as error:
            print(error, file=sys.stderr)
            failed = True
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
