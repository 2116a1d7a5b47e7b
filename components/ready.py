"""Outputs that wait for more than the resource they come from."""

import pulumi


def after(value: pulumi.Input[str], *ready: pulumi.Input[object]) -> pulumi.Output[str]:
    """Return a value that goes out only once everything in `ready` is there.

    For what a component offers to others: the name of a service account goes out when its grants
    are made, so that whoever takes the name can use the account at once. In a preview nothing is
    waited for, and it is as known as the value: else a grant that is made anew would seem to
    replace whatever can't change its account.
    """
    made = pulumi.Output.all(*ready)
    return made.apply(lambda _: pulumi.Output.from_input(value), run_with_unknowns=True).apply(str)


__all__ = ["after"]
