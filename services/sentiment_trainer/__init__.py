"""Keeps the sentiment analyzer's model good: watches it, trains the next version, releases it."""
