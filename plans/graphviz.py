"""Lay out the graph on standard input: `python -m plans.graphviz < graph.dot > graph.svg`."""

import sys
from typing import Any

import pygraphviz

graph: Any = pygraphviz.AGraph(string=sys.stdin.read())
sys.stdout.buffer.write(graph.draw(format="svg", prog="dot"))
