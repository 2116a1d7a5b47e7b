"""The error that a launcher command ends with."""


class LaunchError(Exception):
    """One message for the person at the terminal: what is wrong and what to do about it."""


class InterruptedRunError(LaunchError):
    """A run that its user stopped."""
