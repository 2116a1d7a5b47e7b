"""Puts Kubernetes' controller manager, which has the autoscaler, into `.engine/kubernetes/`.

    python3 tools/controller_manager.py [--if-possible]

It is built from the Go module that the API server comes from. `--if-possible` says what is missing
and succeeds.
"""

import sys

import optional
from api_server import FOLDER, MODULE, VERSION_PACKAGE
from artifacts import build, intact, module_version, stamp

PACKAGE = "k8s.io/kubernetes/cmd/kube-controller-manager"


def ensure_controller_manager() -> None:
    """Make `.engine/kubernetes/kube-controller-manager` the version that the go.mod pins.

    Raises SetupProblemError if the build fails.
    """
    version = module_version(MODULE, "k8s.io/kubernetes")
    program = FOLDER / "kube-controller-manager"
    stamped = program.with_suffix(".json")
    if not intact(stamped, program, version):
        stamped.unlink(missing_ok=True)
        flags = f"-X {VERSION_PACKAGE}.gitVersion=v{version}"
        build(MODULE, PACKAGE, program, flags, about="about 3 minutes")
        stamp(stamped, program, version, found=version)


def main() -> int:
    """Run the steps; return the exit code."""
    return optional.main(
        __doc__,
        "controller manager",
        "the stack's autoscalers on the request path",
        (optional.require_go, ensure_controller_manager),
    )


if __name__ == "__main__":
    sys.exit(main())
