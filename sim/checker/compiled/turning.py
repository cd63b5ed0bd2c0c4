"""The canonical form of a state in compiled code: `sim.checker.reduction.representative`, with the same swaps in the
same order, so that the plain engine, asked for one state, finds all images that are needed here.

States are worked on in areas of one buffer, each `width` cells long.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sim.checker.compiled.jit import compiled, inlined
from sim.checker.compiled.layout import BUDGETS, CUTS, FIFO, LOCALS, NETWORK
from sim.checker.compiled.turns import DIFFERENT, UNSEEN

SPARE, FIRST_LEVEL = 2, 3
"""Areas 0 and 1 hold the state by turns; SPARE a swapped one, then the least; the others one arrangement each."""


@compiled
def turn(rows: Any, turns: Any, settings: Any, swap: Any, work: Any, source: Any, sink: Any, length: Any) -> Any:
    """Writes what a swap makes of the state at `source` to `sink`; whether all images are known."""
    locals_ = settings[LOCALS]
    first = locals_ + settings[BUDGETS] + settings[CUTS]
    for i in range(locals_):
        image = turns.locals[work[source + i], swap]
        if image < 0:
            return False
        work[sink + i] = image
    a, b = turns.pairs[swap, 0], turns.pairs[swap, 1]
    kept = work[sink + a]
    work[sink + a] = work[sink + b]
    work[sink + b] = kept
    for i in range(locals_, first):
        work[sink + i] = work[source + i]
    for i in range(first, length):
        image = turns.envelopes[work[source + i], swap]
        if image < 0:
            return False
        place = i
        while place > first and rows.order[work[sink + place - 1]] > rows.order[image]:
            work[sink + place] = work[sink + place - 1]
            place -= 1
        work[sink + place] = image
    return True


@inlined
def compare(work: Any, one: Any, other: Any, length: Any) -> Any:
    """Less than 0, 0 or more, as the state at `one` is less than, equal to or greater than that at `other`."""
    for i in range(length):
        if work[one + i] != work[other + i]:
            return np.int64(work[one + i]) - np.int64(work[other + i])
    return np.int64(0)


@inlined
def copy(work: Any, source: Any, sink: Any, length: Any) -> None:
    """Copies a state to another area."""
    for i in range(length):
        work[sink + i] = work[source + i]


@inlined
def colour(rows: Any, turns: Any, settings: Any, work: Any, length: Any, colours: Any) -> Any:
    """The colour of each member; whether all views are known."""
    first, is_fifo = settings[LOCALS] + settings[BUDGETS] + settings[CUTS], settings[NETWORK] == FIFO
    members = turns.members.size
    for m in range(members):
        colours[m] = 0
    for i in range(settings[LOCALS]):
        seen = turns.local_seen[work[i]]
        if seen == UNSEEN:
            return False
        if seen == DIFFERENT:
            for m in range(members):
                colours[m] += turns.local_views[work[i], m]
    weight = np.uint64(1)
    for i in range(first, length):
        again = is_fifo and i > first and rows.order[work[i]] == rows.order[work[i - 1]]
        weight = weight + np.uint64(2) if again else np.uint64(1)
        seen = turns.envelope_seen[work[i]]
        if seen == UNSEEN:
            return False
        if seen == DIFFERENT:
            for m in range(members):
                colours[m] += turns.envelope_views[work[i], m] * weight
    return True


@inlined
def sort(rows: Any, turns: Any, settings: Any, work: Any, width: Any, length: Any, colours: Any) -> Any:
    """Brings the members of each class into the order of their colours; the area of the state, or -1."""
    at = np.int64(0)
    for c in range(turns.starts.size - 1):
        for i in range(turns.starts[c], turns.starts[c + 1] - 1):
            least = i
            for j in range(i + 1, turns.starts[c + 1]):
                if colours[j] < colours[least]:
                    least = j
            if colours[least] != colours[i]:
                kept = colours[i]
                colours[i] = colours[least]
                colours[least] = kept
                swap = turns.number[turns.members[i], turns.members[least]]
                if not turn(rows, turns, settings, swap, work, at, width - at, length):
                    return np.int64(-1)
                at = width - at
    return at


@inlined
def find_loose(
    rows: Any, turns: Any, settings: Any, work: Any, width: Any, at: Any, length: Any, colours: Any, levels: Any
) -> Any:
    """Runs of one colour in which swapping neighbours changes the state, into `levels`: a member and the end of
    its run for each choice to make. How many, or -1."""
    n = 0
    for c in range(turns.starts.size - 1):
        begin = turns.starts[c]
        while begin < turns.starts[c + 1]:
            end = begin + 1
            while end < turns.starts[c + 1] and colours[end] == colours[begin]:
                end += 1
            differ = False
            for i in range(begin, end - 1):
                swap = turns.number[turns.members[i], turns.members[i + 1]]
                if not turn(rows, turns, settings, swap, work, at, SPARE * width, length):
                    return -1
                if compare(work, at, SPARE * width, length) != 0:
                    differ = True
                    break
            if differ:
                for i in range(begin, end - 1):
                    levels[n, 0] = i
                    levels[n, 1] = end
                    n += 1
            begin = end
    return n


@inlined
def arrange(
    rows: Any, turns: Any, settings: Any, work: Any, width: Any, at: Any, length: Any, levels: Any, n: Any
) -> Any:
    """The least state over all arrangements of the loose runs, to SPARE; whether all images are known."""
    copy(work, at, FIRST_LEVEL * width, length)
    least, any_yet, depth = SPARE * width, False, 0
    levels[0, 2] = levels[0, 0] - 1
    while depth >= 0:
        here = (FIRST_LEVEL + depth) * width
        if depth == n:
            if not any_yet or compare(work, here, least, length) < 0:
                copy(work, here, least, length)
                any_yet = True
            depth -= 1
            continue
        levels[depth, 2] += 1
        other = levels[depth, 2]
        if other == levels[depth, 1]:
            depth -= 1
            continue
        if other == levels[depth, 0]:
            copy(work, here, here + width, length)
        else:
            swap = turns.number[turns.members[levels[depth, 0]], turns.members[other]]
            if not turn(rows, turns, settings, swap, work, here, here + width, length):
                return False
        depth += 1
        if depth < n:
            levels[depth, 2] = levels[depth, 0] - 1
    return True


@compiled
def canonical(rows: Any, turns: Any, settings: Any, cells: Any, length: Any, spare: Any) -> Any:
    """Makes the state in `cells` canonical; False, with the cells as they were, where an image is unknown."""
    work, colours, levels, _ = spare
    width = cells.size
    for i in range(length):
        work[i] = cells[i]
    if not colour(rows, turns, settings, work, length, colours):
        return False
    at = sort(rows, turns, settings, work, width, length, colours)
    if at < 0:
        return False
    n = find_loose(rows, turns, settings, work, width, at, length, colours, levels)
    if n < 0:
        return False
    if n:
        if not arrange(rows, turns, settings, work, width, at, length, levels, n):
            return False
        at = np.int64(SPARE * width)
    for i in range(length):
        cells[i] = work[at + i]
    return True
