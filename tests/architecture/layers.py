"""Circles and layers of a graph."""

from graphlib import CycleError, TopologicalSorter

from tests.architecture.modules import Graph


def circle(graph: Graph) -> list[str]:
    """One circle as the names along it, the first again at its end; empty if there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(reversed(error.args[1]))
    return []


def layers(graph: Graph) -> list[list[str]]:
    """From the top down: each name one layer above the highest that it imports. Raises `CycleError`."""
    heights: dict[str, int] = {}
    for name in TopologicalSorter(graph).static_order():
        heights[name] = 1 + max((heights[target] for target in graph.get(name, ())), default=-1)
    floors: list[list[str]] = [[] for _ in range(max(heights.values(), default=-1) + 1)]
    for name, height in sorted(heights.items()):
        floors[height].append(name)
    return floors[::-1]
