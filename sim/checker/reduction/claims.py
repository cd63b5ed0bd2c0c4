"""Holds the claim that processes are interchangeable against what they do, row by row.

A swap must take every row to a row: what a process with the swapped local value does with the swapped
message has to be the swapped effect, and monitors and predicates must not notice. If this holds for swaps of
neighbours and for all rows that neighbours lead to from those of a walk, then swapping takes schedules
to schedules (by induction on their length), and a state stands for its whole orbit. So a wrong declaration
costs a reduction, never a verdict. Handlers and predicates run as often as in a walk of all states; what
is saved is the walk.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sim.base.errors import ModelError
from sim.base.values import show
from sim.checker.reduction.images import Images
from sim.graph.action import Action
from sim.graph.enabled import Actions, Enabled
from sim.graph.graph import Graph
from sim.graph.state import State

_KINDS = {"unhandled": -2, "exception": -3, "violated": -4}
"""Failures are alike whatever names are in their text."""

_Find = Callable[[Enabled, int, int], Actions]
_FINDERS: dict[str, _Find] = {
    "head": lambda here, local, e: here.heads.get((local, e)) or here.head(local, e),
    "struck_head": lambda here, local, e: here.struck_heads.get((local, e)) or here.struck_head(local, e),
    "struck_behind": lambda here, local, e: here.struck_behind.get((local, e)) or here.struck_late(local, e),
    "own": lambda here, local, _: here.own.get(local) or here.itself(local),
    "struck_own": lambda here, local, _: here.struck_own.get(local) or here.struck_itself(local),
}


class Claims:
    """What was vouched for so far. Raises `ToldApart` where a claim does not hold."""

    def __init__(self, images: Images) -> None:
        self._images = images
        self._graph: Graph = images.graph
        self._rows: set[tuple[Enabled, str, int, int]] = set()
        self._heard: set[tuple[int, int]] = set()

    def start(self) -> None:
        """Each image of a way to begin is one."""
        starts = self._graph.initial()
        known = set(starts)
        for state in starts:
            if self._graph.tables.failed.keys().isdisjoint(state.locals):
                for swap in self._images.steps:
                    if self._images.state(swap, state) not in known:
                        raise self._images.told_apart(swap, "how the system begins")

    def look(self, here: Enabled, local: int, envelope: int) -> None:
        """Every row of a process with this local value and an envelope (-1: none), wherever that may stand."""
        if not self._images.steps:
            return
        if envelope >= 0:
            self._vouch(here, "head", local, envelope)
            if here.strikes_head:
                self._vouch(here, "struck_head", local, envelope)
            if here.strikes_behind:
                self._vouch(here, "struck_behind", local, envelope)
        else:
            self._vouch(here, "own", local, -1)
            if here.strikes_process:
                self._vouch(here, "struck_own", local, -1)

    def vouch(self, state: State, actions: list[Action]) -> None:
        """All that `state` can do is what its images can do."""
        if not self._images.steps:
            return
        graph, width = self._graph, self._graph.width
        here = graph.around(state)
        target = graph.tables.target
        for e in graph.network.heads(state.net):
            self._vouch(here, "head", state.locals[target[e]], e)
            if here.strikes_head:
                self._vouch(here, "struck_head", state.locals[target[e]], e)
        if here.strikes_behind:
            for e in graph.network.overtakers(state.net):
                self._vouch(here, "struck_behind", state.locals[target[e]], e)
        for local in state.locals[:width]:
            self._vouch(here, "own", local, -1)
            if here.strikes_process:
                self._vouch(here, "struck_own", local, -1)
        for action in actions:
            if action.effect.heard:
                self.hear(state.locals, action.effect.heard)

    def hear(self, locals_: tuple[int, ...], heard: tuple[int, ...]) -> None:
        """Monitors with these local values hear the image of each emission as they hear the emission."""
        tables = self._graph.tables
        after = list(locals_)
        for emission in heard:
            for monitor in tables.heard_by(emission):
                self._vouch_hearing(after[monitor], emission)
                after[monitor] = tables.hear(after[monitor], emission)

    def _vouch(self, here: Enabled, what: str, local: int, envelope: int) -> None:
        """The row, and all that swaps make of it, are alike."""
        key = (here, what, local, envelope)
        if key in self._rows:
            return
        self._rows.add(key)
        images, find, waiting = self._images, _FINDERS[what], [key]
        while waiting:
            *_, local, envelope = waiting.pop()
            row = find(here, local, envelope)
            for swap in images.steps:
                image = (images.local(swap, local), images.envelope(swap, envelope) if envelope >= 0 else -1)
                try:
                    same = self._alike(swap, row, find(here, *image))
                except ModelError:
                    same = False  # what breaks a rule there does not here
                if not same:
                    raise images.told_apart(swap, self._doing(local, envelope))
                if (here, what, *image) not in self._rows:
                    self._rows.add((here, what, *image))
                    waiting.append((here, what, *image))

    def _alike(self, swap: int, row: Actions, other: Actions) -> bool:
        if len(row) != len(other):
            return False
        return sorted(self._effect(swap, a) for a in row) == sorted(self._effect(None, a) for a in other)

    def _effect(self, swap: int | None, action: Action) -> tuple[Any, ...]:
        """What an action does, or (with a swap) the image of that."""
        images, tables = self._images, self._graph.tables
        local, process, consumed = action.effect.local, action.effect.process, action.effect.consumed
        sends, heard = list(action.effect.sends), list(action.effect.heard)
        if local in tables.failed:
            local = _KINDS[tables.failed[local][0]]
        if swap is not None:
            process = images.place(swap, process)
            local = images.local(swap, local) if local >= 0 else local
            consumed = images.envelope(swap, consumed) if consumed >= 0 else -1
            sends = [images.envelope(swap, e) for e in sends]
            heard = [images.emission(swap, e) for e in heard]
        sends.sort(key=tables.pair.__getitem__ if self._graph.system.network == "fifo" else None)
        rest = (action.effect.delivered, action.progress, action.effect.cut, action.effect.spends)
        return process, local, consumed, tuple(sends), tuple(heard), rest

    def _vouch_hearing(self, local: int, emission: int) -> None:
        if (local, emission) in self._heard:
            return
        self._heard.add((local, emission))
        images, tables, waiting = self._images, self._graph.tables, [(local, emission)]
        while waiting:
            local, emission = waiting.pop()
            after = tables.hear(local, emission)
            for swap in images.steps:
                image = (images.local(swap, local), images.emission(swap, emission))
                try:
                    same = self._same_local(swap, after, tables.hear(*image))
                except ModelError:
                    same = False
                if not same:
                    monitor = self._graph.names[tables.locals.things[local][0]]
                    raise images.told_apart(swap, f"what {monitor} makes of an emission")
                if image not in self._heard:
                    self._heard.add(image)
                    waiting.append(image)

    def _same_local(self, swap: int, local: int, other: int) -> bool:
        failed = self._graph.tables.failed
        if local in failed or other in failed:
            return local in failed and other in failed and failed[local][0] == failed[other][0]
        return self._images.local(swap, local) == other

    def _doing(self, local: int, envelope: int) -> str:
        process, value = self._graph.tables.locals.things[local]
        doing = f"what {self._graph.names[process]} does in state {value.state}"
        if envelope < 0:
            return f"{doing} by itself"
        return f"{doing} with {show(self._graph.tables.envelopes.things[envelope].message)}"
