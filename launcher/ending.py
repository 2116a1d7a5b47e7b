"""How every command of the launcher ends that did not get to its end: one message, an exit code."""

import os
import sys
from collections.abc import Callable
from typing import Final

from launcher.console import show
from launcher.problem import InterruptedRunError, LaunchError

INTERRUPTED: Final = 130


def exit_code_of(command: Callable[[], int]) -> int:
    """Run a command; return its exit code: 1 for a failure, 130 when interrupted, both told."""
    try:
        return command()
    except InterruptedRunError as problem:
        show(f"interrupted: {problem}", sys.stderr)
        return INTERRUPTED
    except LaunchError as problem:
        show(f"error: {problem}", sys.stderr)
        return 1
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        show("interrupted; the next run goes on from here", sys.stderr)
        return INTERRUPTED
    except OSError as problem:
        # Python's own text has its number first, `[Errno 30]`.
        told = ": ".join(str(each) for each in (problem.filename, problem.strerror) if each)
        show(f"error: {told or problem}; fix that: the next run goes on from here", sys.stderr)
        return 1
    except Exception as problem:
        # They take a second to load, which a command that needs neither does not wait for.
        from launcher.engine import message_of
        from sandbox.providers import ServeError
        from sandbox.world import WorldError

        meant = isinstance(problem, (ServeError, WorldError))
        show(f"error: {problem if meant else message_of(problem)}", sys.stderr)
        return 1
