"""One state for all that swapping alike processes makes of it: a true canonical form.

Each member of a class gets a colour: the sum, over all that the state consists of, of how that thing looks
from this member (`Images.local_views`). A permutation of the state permutes the colours with the members, for
a view knows its member as `me` and the others by their class alone. So the images of a state whose colours
ascend with the places of the members are the same set for every state of an orbit; the canonical form is the
least of this set. Where all colours differ it has one element. Members of one colour are tried in every
arrangement, unless swapping neighbours changes nothing at all: then no arrangement does. Colours that
collide make more arrangements to try, and nothing else.

The idea of sorting by an invariant first is that of McKay ("Practical graph isomorphism", 1981) and of
Ip and Dill ("Better verification through symmetry", 1996).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from sim.base.mixer import MASK
from sim.checker.reduction.images import Images
from sim.graph.state import State


class Representative:
    """The canonical form under all permutations that the swaps of `images` make up."""

    def __init__(self, images: Images) -> None:
        self._images = images
        self._network = images.graph.network
        self._is_fifo = images.graph.system.network == "fifo"
        self._members = sum(map(len, images.members))

    def __call__(self, state: State) -> State:
        """The canonical form."""
        images = self._images
        colours = self.colours(state)
        alike: list[Sequence[int]] = []
        at = 0
        for members in images.members:
            mine = colours[at : at + len(members)]
            at += len(members)
            for i in range(len(members) - 1):
                least = min(range(i, len(members)), key=mine.__getitem__)
                if mine[least] != mine[i]:
                    mine[i], mine[least] = mine[least], mine[i]
                    state = images.state(images.number[members[i], members[least]], state)
            alike += _runs(members, mine)
        loose = [run for run in alike if self._differ(state, run)]
        if not loose:
            return state
        return min(self._arrangements(state, loose), key=lambda one: (one.locals, self._network.every(one.net)))

    def colours(self, state: State) -> list[int]:
        """A number for each member of each class, in their order."""
        images = self._images
        found = [0] * self._members
        for local in state.locals:
            views = images.local_views(local)
            if views is not None:
                for m, view in enumerate(views):
                    found[m] += view
        queues = [queue[1:] for queue in state.net] if self._is_fifo else [state.net]
        for queue in queues:
            for place, e in enumerate(queue):
                views = images.envelope_views(e)
                if views is not None:
                    for m, view in enumerate(views):
                        found[m] += view * (2 * place + 1 if self._is_fifo else 1)
        return [colour & MASK for colour in found]

    def _differ(self, state: State, run: Sequence[int]) -> bool:
        """Whether swapping two neighbours of a run changes the state."""
        images = self._images
        return any(images.state(images.number[pair], state) != state for pair in itertools.pairwise(run))

    def _arrangements(self, state: State, runs: Sequence[Sequence[int]]) -> Iterator[State]:
        """The state with the members of each run in every order."""
        if not runs:
            yield state
        elif len(runs[0]) < 2:
            yield from self._arrangements(state, runs[1:])
        else:
            first, *rest = runs[0]
            yield from self._arrangements(state, [rest, *runs[1:]])
            for other in rest:
                swapped = self._images.state(self._images.number[first, other], state)
                yield from self._arrangements(swapped, [rest, *runs[1:]])


def _runs(members: Sequence[int], colours: Sequence[int]) -> list[Sequence[int]]:
    """The maximal runs of two members or more with one colour."""
    found, begin = [], 0
    for i in range(1, len(members) + 1):
        if i == len(members) or colours[i] != colours[begin]:
            if i - begin > 1:
                found.append(members[begin:i])
            begin = i
    return found
