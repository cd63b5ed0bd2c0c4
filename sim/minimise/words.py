"""A counterexample in words: as usual, except for its deviations from the canonical schedule."""

from __future__ import annotations

from collections.abc import Sequence

from sim.base.values import shown_fields
from sim.graph.action import Action, Kind
from sim.graph.graph import Graph, Start
from sim.machine.process import Emit
from sim.minimise.deviations import Deviation, Unusual
from sim.strategy.canonical import Canonical
from sim.system.network import Envelope

PENDING_MAX = 4
"""Things still to come that are named."""


def told(graph: Graph, start: Start, actions: Sequence[Action], unusual: Sequence[Deviation]) -> list[str]:
    """Lines that say how a run goes: each deviation, then what has not happened yet when it ends."""
    words = _Words(graph, start, actions)
    if unusual:
        lines = ["As usual, except:", *(f"- {words.deviation(one)}" for one in unusual)]
    else:
        lines = ["As usual: first in, first out, no fault; the canonical schedule itself leads there."]
    pending = words.pending()
    return [*lines, f"Still to come when it happens: {pending}."] if pending else lines


class _Words:
    def __init__(self, graph: Graph, start: Start, actions: Sequence[Action]) -> None:
        self.graph = graph
        self.start = start
        self.actions = actions
        self._alike = self._sent()

    def deviation(self, one: Deviation) -> str:
        """One deviation as a clause."""
        if one.kind is Unusual.START:
            return f"at the start, {', '.join(self.start.address.choosing or ())} is chosen"
        action = self.actions[one.step]
        if one.kind is Unusual.FAULT:
            return self._fault(action, one.step)
        if one.kind is Unusual.ENVIRONMENT:
            return f"{self._happens(action)}, {self._when(one.step)}"
        if one.kind is Unusual.CHOICE:
            return f"{action.process} chooses {', '.join(action.address.choosing or ())} when {self._happens(action)}"
        if one.kind is Unusual.AGAIN:
            return f"{self._happens(action)} once more"
        other = self.actions[one.other]
        if one.kind is Unusual.EARLY:
            return f"{self._happens(action)} before {self._happens(other)}"
        return f"{self._happens(action)} only after {self._happened(other)}"

    def pending(self) -> str:
        """What would be next, had the run not ended."""
        usual = Canonical()
        usual.begin(self.graph, self.start)
        state = self.start.state
        for action in self.actions:
            usual.follow(state, action)
            state = self.graph.apply(state, action)
        found = list(dict.fromkeys(self._happens(ways[0]) for ways in usual.due(state)))
        more = len(found) - PENDING_MAX
        return "; ".join([*found[:PENDING_MAX], *([f"and {more} more"] if more > 0 else [])])

    def _fault(self, action: Action, step: int) -> str:
        how = self._struck(action, step)
        if action.window is None:
            return how
        crash = f"{action.process} crashes {action.address.crashing} when"
        return f"{crash} {how if action.fault or action.reordered else self._happens(action)}"

    def _struck(self, action: Action, step: int) -> str:
        if action.kind is Kind.DROP:
            return f"{self._message(action)} is lost"
        if action.kind is Kind.DUPLICATE:
            return f"{self._message(action)} is duplicated"
        if action.fault is not None:
            return f"{action.address.under} strikes {self._message(action)}"
        if action.reordered:
            return f"{self._message(action)} overtakes what was sent before it"
        what = f"{action.process} crashes" if action.kind is Kind.CRASH else f"the cut {action.subject} comes in force"
        return f"{what}, {self._when(step)}"

    def _when(self, step: int) -> str:
        return f"after {self._happened(self.actions[step - 1])}" if step else "before anything else"

    def _happens(self, action: Action) -> str:
        return f"{self._doer(action)} {_VERBS[action.kind][0]}{self._what(action)}"

    def _happened(self, action: Action) -> str:
        emitted = ", ".join(type(o.emission).__name__ for o in action.outputs if isinstance(o, Emit))
        said = f" ({emitted})" if emitted else ""
        return f"{self._doer(action)} {_VERBS[action.kind][1]}{self._what(action)}{said}"

    def _doer(self, action: Action) -> str:
        if action.envelope is not None:
            return self._message(action)
        if action.kind is Kind.FIRE:
            return f"{action.process}'s timer {action.subject}"
        return action.process or f"the cut {action.subject}"

    def _what(self, action: Action) -> str:
        return f" {action.subject}" if action.kind is Kind.MOVE else ""

    def _message(self, action: Action) -> str:
        """`gemini's Response(attempt=1) to coordinator`, with the fields in which others of its kind differ."""
        envelope = action.envelope
        assert envelope is not None
        alike = self._alike.get(_kind(envelope), [])
        mine = shown_fields(envelope.message)
        telling = [f"{name}={text}" for name, text in mine.items() if any(other.get(name) != text for other in alike)]
        fields = f"({', '.join(telling)})" if telling else ""
        return f"{envelope.source}'s {type(envelope.message).__name__}{fields} to {envelope.target}"

    def _sent(self) -> dict[tuple[str, str, str], list[dict[str, str]]]:
        """What was sent in this run, by source, target and type."""
        found: dict[tuple[str, str, str], list[dict[str, str]]] = {}
        for number in (*self.start.sends, *(e for action in self.actions for e in action.sends)):
            envelope = self.graph.tables.envelopes.things[number]
            found.setdefault(_kind(envelope), []).append(dict(shown_fields(envelope.message)))
        return found


def _kind(envelope: Envelope) -> tuple[str, str, str]:
    return envelope.source, envelope.target, type(envelope.message).__name__


_VERBS = {
    Kind.DELIVER: ("arrives", "arrived"),
    Kind.FIRE: ("fires", "fired"),
    Kind.MOVE: ("does", "did"),
    Kind.CRASH: ("crashes", "crashed"),
    Kind.RESTART: ("restarts", "restarted"),
    Kind.DROP: ("is lost", "was lost"),
    Kind.DUPLICATE: ("is duplicated", "was duplicated"),
    Kind.CUT: ("comes in force", "came in force"),
    Kind.HEAL: ("heals", "healed"),
}
