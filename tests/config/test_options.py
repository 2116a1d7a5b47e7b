"""Stacks of every option can be made: each key has text that its pattern takes."""

from random import Random

from tests.config.matrix import stacks
from tests.config.options import Generator, options


def test_every_option_can_be_given_a_value() -> None:
    generator = Generator(stacks("dev")[0], Random(0))  # noqa: S311 - the same values each time
    for option in options():
        if option.value is None:
            assert generator.value(option.annotation, option.path, some=True) is not None
