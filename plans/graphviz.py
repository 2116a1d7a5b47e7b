"""Lay out the graph on standard input: `python -m plans.graphviz < graph.dot > graph.svg`."""

import sys

import pygraphviz  # pyright: ignore[reportMissingImports, reportMissingTypeStubs]

graph = pygraphviz.AGraph(string=sys.stdin.read())  # pyright: ignore
sys.stdout.buffer.write(graph.draw(format="svg", prog="dot"))  # pyright: ignore
