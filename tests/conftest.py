"""What all tests share."""

from hypothesis import settings

# A slow machine is no failure: speed is measured by the benchmark.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
