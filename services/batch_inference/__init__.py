"""Asks a model for every row of a file or a table, in the background."""
