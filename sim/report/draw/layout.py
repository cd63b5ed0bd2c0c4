"""A layered layout of a directed graph, after Sugiyama, Tagawa and Toda: "Methods for visual understanding
of hierarchical system structures" (IEEE SMC, 1981).

Nodes are on even layers, the labels of edges on odd ones, as separate nodes: so labels cannot overlap. Everything is
determined by the order of the given nodes and edges: one graph, one drawing.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

GAP_X = 28
BEND_GAP = 14
"""Pixels between an edge that only crosses a layer and what is beside it there."""
GAP_Y = 22
BEND_WIDTH = 8
"""Pixels that an edge takes on a layer that it only crosses."""
SWEEPS = 12


@dataclass
class Spot:
    """Something that takes space on a layer: a node, a label, or the bend of an edge. `x`, `y` is its centre."""

    width: float
    height: float
    layer: int = 0
    x: float = 0.0
    y: float = 0.0
    reach: float = 0.0
    """Half the height of its layer."""
    above: list[Spot] = field(default_factory=list)
    below: list[Spot] = field(default_factory=list)


Point = tuple[float, float]


@dataclass(frozen=True)
class Laid:
    """Where everything is: centres of the nodes, the path of each edge from its source, centres of the labels."""

    width: float
    height: float
    nodes: tuple[Point, ...]
    ways: tuple[tuple[Point, ...], ...]
    labels: tuple[Point, ...]


def lay_out(
    sizes: Sequence[tuple[float, float]],
    edges: Sequence[tuple[int, int]],
    labels: Sequence[tuple[float, float]],
) -> Laid:
    """Lays out nodes of these sizes (width, height) and edges (from, to), each with a label of this size.

    Edges are distinct pairs without loops; node 0 is the first to be drawn.
    """
    nodes = [Spot(*size) for size in sizes]
    turned = _turned(len(nodes), edges)
    down = [(b, a) if back else (a, b) for (a, b), back in zip(edges, turned, strict=True)]
    for node, rank in zip(nodes, _ranks(len(nodes), down), strict=True):
        node.layer = 2 * rank
    spots = list(nodes)
    chains: list[list[Spot]] = []
    tags: list[Spot] = []
    for (a, b), back, size in zip(down, turned, labels, strict=True):
        chain, tag = _chain(nodes[a], nodes[b], size, back)
        spots += chain[1:-1]
        chains.append(chain[::-1] if back else chain)
        tags.append(tag)
    layers = _layers(spots)
    _order(layers)
    width = _spread(layers)
    height = _stack(layers)
    ways = tuple(_way(chain) for chain in chains)
    return Laid(width, height, _centres(nodes), ways, _centres(tags))


def _centres(spots: Iterable[Spot]) -> tuple[Point, ...]:
    return tuple((spot.x, spot.y) for spot in spots)


def _turned(count: int, edges: Sequence[tuple[int, int]]) -> list[bool]:
    """The back edges of a depth-first walk: with these reversed, no cycle is left."""
    leaving: list[list[int]] = [[] for _ in range(count)]
    for number, (a, _) in enumerate(edges):
        leaving[a].append(number)
    turned = [False] * len(edges)
    done = [False] * count
    for root in range(count):
        path: list[tuple[int, int]] = [(root, 0)] if not done[root] else []
        done[root] = True
        on_path = [False] * count
        on_path[root] = True
        while path:
            node, at = path[-1]
            if at == len(leaving[node]):
                on_path[node] = False
                path.pop()
                continue
            path[-1] = node, at + 1
            edge = leaving[node][at]
            to = edges[edge][1]
            turned[edge] = on_path[to]
            if not done[to]:
                done[to] = on_path[to] = True
                path.append((to, 0))
    return turned


def _ranks(count: int, down: Sequence[tuple[int, int]]) -> list[int]:
    """The length of the longest path to each node."""
    ranks = [0] * count
    for _ in range(count):
        for a, b in down:
            ranks[b] = max(ranks[b], ranks[a] + 1)
    return ranks


def _chain(top: Spot, bottom: Spot, label: tuple[float, float], back: bool) -> tuple[list[Spot], Spot]:
    """The spots of an edge from `top` to `bottom`, and the one of its label, which is near its source."""
    chain = [top]
    at = bottom.layer - 1 if back else top.layer + 1
    for layer in range(top.layer + 1, bottom.layer):
        width, height = label if layer == at else (BEND_WIDTH, 0.0)
        chain.append(Spot(width, height, layer))
    chain.append(bottom)
    for above, below in itertools.pairwise(chain):
        above.below.append(below)
        below.above.append(above)
    return chain, chain[at - top.layer]


def _layers(spots: Sequence[Spot]) -> list[list[Spot]]:
    layers: list[list[Spot]] = [[] for _ in range(max((spot.layer for spot in spots), default=-1) + 1)]
    for spot in spots:
        layers[spot.layer].append(spot)
    return layers


def _number(layers: list[list[Spot]]) -> None:
    """While the order is being searched, `x` is the place in it."""
    for layer in layers:
        for place, spot in enumerate(layer):
            spot.x = place


def _order(layers: list[list[Spot]]) -> None:
    """Orders each layer by the barycentres of its neighbours, down and up again; keeps the best."""
    _number(layers)
    best = [list(layer) for layer in layers]
    fewest = _crossings(layers)
    for sweep in range(SWEEPS):
        for layer in layers if sweep % 2 == 0 else reversed(layers):
            layer.sort(key=lambda spot: _mean(spot.above if sweep % 2 == 0 else spot.below, spot.x))
            for place, spot in enumerate(layer):
                spot.x = place
        crossings = _crossings(layers)
        if crossings < fewest:
            best, fewest = [list(layer) for layer in layers], crossings
    layers[:] = best
    _number(layers)


def _mean(spots: Sequence[Spot], otherwise: float) -> float:
    return sum(spot.x for spot in spots) / len(spots) if spots else otherwise


def _crossings(layers: Sequence[Sequence[Spot]]) -> int:
    found = 0
    for layer in layers:
        lines = [(above.x, below.x) for above in layer for below in above.below]
        found += sum((a - c) * (b - d) < 0 for i, (a, b) in enumerate(lines) for c, d in lines[:i])
    return found


def _spread(layers: list[list[Spot]]) -> float:
    """Horizontal places: each spot as near to its neighbours as its layer allows; returns the width."""
    for layer in layers:
        _settle(layer, [0.0] * len(layer))
    for sweep in range(SWEEPS):
        for layer in layers if sweep % 2 == 0 else reversed(layers):
            _settle(layer, [_mean([*spot.above, *spot.below], spot.x) for spot in layer])
    spots = [spot for layer in layers for spot in layer]
    left = min((spot.x - spot.width / 2 for spot in spots), default=0.0)
    for spot in spots:
        spot.x -= left
    return max((spot.x + spot.width / 2 for spot in spots), default=0.0)


def _settle(layer: Sequence[Spot], wanted: Sequence[float]) -> None:
    """Places the spots of a layer near where they want to be: the middle between pushing the following ones to the
    right and the preceding ones to the left."""
    distances = [(a.width + b.width) / 2 + _gap(a, b) for a, b in itertools.pairwise(layer)]
    right, left = list(wanted), list(wanted)
    for i, distance in enumerate(distances):
        right[i + 1] = max(right[i + 1], right[i] + distance)
    for i in reversed(range(len(distances))):
        left[i] = min(left[i], left[i + 1] - distances[i])
    for spot, a, b in zip(layer, left, right, strict=True):
        spot.x = (a + b) / 2


def _gap(a: Spot, b: Spot) -> float:
    return BEND_GAP if BEND_WIDTH in (a.width, b.width) else GAP_X


def _stack(layers: Sequence[Sequence[Spot]]) -> float:
    """Vertical places; returns the height."""
    top = 0.0
    for layer in layers:
        height = max(spot.height for spot in layer)
        for spot in layer:
            spot.y = top + height / 2
            spot.reach = height / 2
        top += height + GAP_Y
    return max(top - GAP_Y, 0.0)


def _way(chain: Sequence[Spot]) -> tuple[Point, ...]:
    """From the border of the first spot, vertically through all layers (so that nothing there is touched), to the border of
    the last; ends that share a border are spread over it, in the order of their other
    ends."""
    first, last = chain[0], chain[-1]
    down = first.layer < last.layer
    inner = [(spot.x, spot.y + end) for spot in _downward(chain) for end in (-spot.reach, spot.reach)]
    if not down:
        inner.reverse()
    begin, end = _port(first, chain[1]), _port(last, chain[-2])
    side = 1 if down else -1
    out, into = (begin[0], first.y + side * first.reach), (end[0], last.y - side * last.reach)
    way = (begin, out, *inner, into, end)
    return tuple(point for point, _ in itertools.groupby(way))  # a tip needs a direction


def _downward(chain: Sequence[Spot]) -> Sequence[Spot]:
    return chain[1:-1] if chain[0].layer < chain[-1].layer else chain[-2:0:-1]


def _port(node: Spot, neighbour: Spot) -> Point:
    below = neighbour.layer > node.layer
    beside = sorted(node.below if below else node.above, key=lambda spot: spot.x)
    place = next(i for i, spot in enumerate(beside) if spot is neighbour)
    step = min(node.width * 0.8 / len(beside), 40.0)
    x = node.x + (place - (len(beside) - 1) / 2) * step
    return (x, node.y + (node.height / 2 if below else -node.height / 2))
