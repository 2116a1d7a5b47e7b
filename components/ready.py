"""Outputs that wait for more than the resource they come from."""

import pulumi


def after(value: pulumi.Input[str], *ready: pulumi.Input[object]) -> pulumi.Output[str]:
    """Return a value that is known only once everything in `ready` is there.

    For what a component offers to others: the name of a service account goes out when its grants
    are made, so that whoever takes the name can use the account at once. In a preview it is as
    unknown as the least known of `ready`.
    """
    return pulumi.Output.all(value, *ready).apply(lambda known: str(known[0]))


__all__ = ["after"]
