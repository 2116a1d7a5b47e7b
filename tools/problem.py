"""The error that set-up ends with: one message for the person at the terminal."""


class SetupProblemError(Exception):
    """What is wrong with the machine, and what to do about it."""
