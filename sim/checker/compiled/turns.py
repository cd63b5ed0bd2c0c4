"""What a reduction knows, as arrays for compiled code: images and views, and what settles or is dead."""

from __future__ import annotations

import numpy as np

from sim.checker.compiled.arrays import Array, Growing
from sim.checker.compiled.layout import DEAD, DIFFERENT, NOTHING, SAME, TAKEN, Turns
from sim.checker.compiled.mirror import Mirror, key_of
from sim.checker.reduction.images import Images, Views
from sim.checker.reduction.reduction import Reduction
from sim.checker.reduction.settle import STEPS_MAX, Settling
from sim.graph.state import State


class Turning:
    """Tells the compiled walk what a reduction has found."""

    def __init__(self, reduction: Reduction, mirror: Mirror) -> None:
        self._reduction = reduction
        self._mirror = mirror
        self._settles = Growing().keys()
        self._known: set[int] = set()
        images = self._images = reduction.images
        members = [process for members in images.members for process in members]
        self._members = np.array(members, np.int32)
        self._starts = np.cumsum([0, *map(len, images.members)]).astype(np.int32)
        self._pairs = np.array(images.pairs or [(0, 0)], np.int32)
        size = len(images.graph.names)
        self._number = np.zeros((size, size), np.int32)
        for (a, b), swap in images.number.items():
            self._number[a, b] = self._number[b, a] = swap
        self._locals, self._envelopes = _Things(images, len(members)), _Things(images, len(members))

    def learn(self, state: State) -> None:
        """Has the plain engine reduce a state: it then knows all that compiled code needs for it."""
        self._reduction.of(state)
        if self._reduction.settling is not None:
            self._learn_settling(self._reduction.settling, state)
            for after in self._reduction.settling.steps(state):
                self._learn_settling(self._reduction.settling, after)

    def _learn_settling(self, settling: Settling, state: State) -> None:
        around, graph = self._mirror.learn_surroundings(state), self._mirror.graph
        for e in graph.network.heads(state.net):
            key = key_of(state.locals[graph.tables.target[e]], e, around, 0)
            if key not in self._known:
                self._known.add(key)
                action = settling.taken(state, e)
                dead = DEAD if settling.is_dead(state, e) else NOTHING
                self._settles.add(key, dead if action is None else TAKEN + self._mirror.number(action))

    def arrays(self) -> Turns:
        """The arrays as they are now."""
        images, tables = self._images, self._images.graph.tables
        self._locals.catch_up(len(tables.locals), images.found_locals, images.seen_locals)
        self._envelopes.catch_up(len(tables.envelopes), images.found_envelopes, images.seen_envelopes)
        settles = self._settles.arrays() if self._reduction.settling is not None else _NO_KEYS
        return Turns(
            self._members, self._starts, self._pairs, self._number, self._locals.images, self._envelopes.images,
            self._locals.views, self._locals.seen, self._envelopes.views, self._envelopes.seen,
            settles[0], settles[1], np.array([STEPS_MAX]),
        )  # fmt: skip


_NO_KEYS = np.zeros(0, np.uint64), np.zeros(0, np.int32)


class _Things:
    """Images and views of local values, or of envelopes."""

    def __init__(self, images: Images, members: int) -> None:
        self.images: Array = np.full((64, max(1, len(images.pairs))), -1, np.int32)
        self.views: Array = np.zeros((64, max(1, members)), np.uint64)
        self.seen: Array = np.zeros(64, np.uint8)
        self._taken_images = 0
        self._taken_views = 0

    def catch_up(self, count: int, found: list[tuple[int, int, int]], seen: list[tuple[int, Views | None]]) -> None:
        """Takes over what was found since the last time, of so many things."""
        if count > len(self.seen):
            self.images = _grown(self.images, 2 * count, -1)
            self.views, self.seen = _grown(self.views, 2 * count, 0), _grown(self.seen, 2 * count, 0)
        for thing, swap, image in found[self._taken_images :]:
            self.images[thing, swap] = image
        for thing, views in seen[self._taken_views :]:
            self.seen[thing] = SAME if views is None else DIFFERENT
            if views is not None:
                self.views[thing] = views
        self._taken_images, self._taken_views = len(found), len(seen)


def _grown(array: Array, size: int, fill: int) -> Array:
    larger = np.full((size, *array.shape[1:]), fill, array.dtype)
    larger[: len(array)] = array
    return larger
