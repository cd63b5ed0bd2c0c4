"""How runs end, judged naively on the states of `tests.reference`: twice, in ways that share nothing with the check.

By sets: a run that never rests stays in some set of states for ever, each of which it comes back to, along some of the
edges among them. So every set and every choice of edges is tried. By fixed points (Emerson, Lei 1986): the states from
which one can go on fairly are the greatest set that has a way to serve each claim inside of itself; for weak fairness.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain, combinations
from typing import Any, NamedTuple

from sim import System
from sim.base.values import encode
from tests.reference import DOWN, FAILED, Explored, Reference, State, Step

States = frozenset[State]
Claim = Callable[[State, Step], bool]


class Ends:
    """An explored reference, and which of its runs that never rest are fair."""

    def __init__(self, system: System, explored: Explored) -> None:
        self.system = system
        self.reference = Reference(system)
        self.explored = explored
        self.states = list(explored.states)
        self.moves = {s: [step for step in explored.edges[s] if step.progress and step.after != s] for s in self.states}
        self.resting = [
            s for s in self.states if not self.moves[s] and not any(local.state == FAILED for local in s.locals)
        ]

    # --- which sets can be gone round in ------------------------------------------------------------

    def sets(self) -> Iterator[States]:
        """Every set of states in which a fair run can go round for ever."""
        for size in range(2, len(self.states) + 1):
            for some in combinations(self.states, size):
                among = frozenset(some)
                if any(self._is_fair(among, edges) for edges in self._choices(among)):
                    yield among

    def _choices(self, among: States) -> Iterator[list[tuple[State, Step]]]:
        """The edges inside of a set; with fair choices also without some of the choices."""
        inside = [(s, step) for s in sorted(among, key=encode_state) for step in self.moves[s] if step.after in among]
        groups = sorted({group(s, step, self.reference) for s, step in inside if choices(step)}, key=repr)
        if not self.system.fair_choices:
            groups = []
        for left_out in chain.from_iterable(combinations(groups, n) for n in range(len(groups) + 1)):
            yield [
                (s, step) for s, step in inside if not choices(step) or group(s, step, self.reference) not in left_out
            ]

    def _is_fair(self, among: States, edges: list[tuple[State, Step]]) -> bool:
        if not connected(among, edges):
            return False
        taken = {deed(step) for _, step in edges}
        everywhere = set.intersection(*({deed(step) for step in self.moves[s]} for s in among))
        if not everywhere <= taken:
            return False
        for s in among:
            for step in self.moves[s]:
                if self._name(step) in self.system.fair and deed(step) not in taken:
                    return False
        if self.system.fair_choices:
            have = {(group(s, step, self.reference), choices(step)) for s, step in edges}
            for s, step in edges:
                if choices(step):
                    for other in self.moves[s]:
                        one = group(s, other, self.reference)
                        if one == group(s, step, self.reference) and (one, choices(other)) not in have:
                            return False
        return True

    def _name(self, step: Step) -> str:
        return f"{self.reference.names[step.what[1]]}.{step.what[2]}" if step.what[0] in ("move", "fire") else ""

    # --- the same by fixed points -------------------------------------------------------------------

    def fair_from(self, stays: States, visits: States | None = None) -> States:
        """The states from which a weakly fair run can stay in `stays` for ever, and come by `visits` again and again."""
        left = set(stays)
        deeds = sorted({deed(step) for s in stays for step in self.moves[s]}, key=repr)
        while True:
            before = len(left)
            claims: list[Claim] = [lambda s, step, d=d: deed(step) == d or d not in self._deeds(s) for d in deeds]  # type: ignore[misc]
            claims.append(lambda s, step: True)
            if visits is not None:
                claims.append(lambda s, step: s in visits)
            for claim in claims:
                left &= self._leading_to(left, claim)
            if len(left) == before:
                return frozenset(left)

    def _deeds(self, state: State) -> set[Any]:
        return {deed(step) for step in self.moves[state]}

    def _leading_to(self, among: set[State], claim: Claim) -> set[State]:
        """The states of a set from which a way inside of it leads to a step of it that serves a claim."""
        found = {s for s in among if any(step.after in among and claim(s, step) for step in self.moves[s])}
        while True:
            more = {s for s in among - found if any(step.after in found for step in self.moves[s])}
            if not more:
                return found
            found |= more

    # --- what is violated ---------------------------------------------------------------------------

    def reached(self, begins: States, stays: States) -> States:
        """What can be reached from these states without leaving `stays`."""
        found, waiting = set(begins & stays), list(begins & stays)
        while waiting:
            for step in self.explored.edges[waiting.pop()]:
                if step.after in stays and step.after not in found:
                    found.add(step.after)
                    waiting.append(step.after)
        return frozenset(found)

    def where(self, holds: Callable[[State], bool]) -> States:
        """The states in which this holds."""
        return frozenset(s for s in self.states if holds(s))

    def debts(self) -> dict[tuple[int, Any], States]:
        """What is owed, and in which states."""
        found: dict[tuple[int, Any], set[State]] = {}
        for s in self.states:
            for index, (machine, local) in enumerate(zip(self.reference.machines, s.locals, strict=True)):
                if local.state in (DOWN, FAILED):
                    continue
                owes = getattr(machine.cls, "owes", "")
                keys = local.fields[machine.fields.index(owes)] if owes else ()
                for key in keys if owes else [None] if local.state in machine.hot else []:
                    found.setdefault((index, key), set()).add(s)
        return {debt: frozenset(states) for debt, states in found.items()}


class Asked(NamedTuple):
    """A question to how runs end: they come by `begins`, stay in `stays` from there on, and go round for ever with
    something in `touch`; or rest in `rests`."""

    begins: States
    stays: States
    touch: States
    rests: States


def asked(ends: Ends, kind: str, holds: Callable[[State], bool], premise: Callable[[State], bool] = bool) -> Asked:
    """What violates a property of this kind."""
    every, unmet, none = frozenset(ends.states), ends.where(lambda s: not holds(s)), frozenset[State]()
    return {
        "eventually": Asked(frozenset(ends.reference.initial()) & unmet, unmet, every, unmet),
        "always_eventually": Asked(unmet, unmet, every, unmet),
        "eventually_always": Asked(every, every, unmet, unmet),
        "leads_to": Asked(unmet & ends.where(premise), unmet, every, unmet),
        "rests": Asked(every, every, every, none),
    }[kind]


def violated_by_sets(ends: Ends, question: Asked, sets: list[States]) -> bool:
    """Whether some run violates it, by the sets that runs can stay in."""
    reached = ends.reached(question.begins, question.stays)
    rests = any(s in reached and s in question.rests for s in ends.resting)
    return rests or any(one <= reached and one & question.touch for one in sets)


def violated_by_fixed_point(ends: Ends, question: Asked) -> bool:
    """The same, for weak fairness, by fixed points."""
    reached = ends.reached(question.begins, question.stays)
    rests = any(s in reached and s in question.rests for s in ends.resting)
    return rests or bool(ends.fair_from(reached, question.touch))


def deed(step: Step) -> tuple[Any, ...]:
    """What a step is, whatever it chooses."""
    return step.what[:-1] if step.what[0] != "heal" else step.what


def choices(step: Step) -> tuple[Any, ...]:
    return step.what[-1] if step.what[0] in ("deliver", "fire", "move", "restart") else ()


def group(state: State, step: Step, reference: Reference) -> tuple[Any, ...]:
    """Something with choices in one local value."""
    what = step.what
    index = reference.names.index(what[1][1]) if what[0] == "deliver" else what[1]
    return (encode_local(state, index), deed(step))


def encode_local(state: State, index: int) -> bytes:
    local = state.locals[index]
    return encode((index, local.state, local.fields, local.timers))


def encode_state(state: State) -> bytes:
    return encode((tuple(tuple(local) for local in state.locals), state.net, state.budgets, state.cuts))


def connected(among: States, edges: list[tuple[State, Step]]) -> bool:
    """Whether one can get from everywhere to everywhere along these edges."""
    for forward in (True, False):
        pairs = [(s, step.after) if forward else (step.after, s) for s, step in edges]
        first = next(iter(among))
        found, waiting = {first}, [first]
        while waiting:
            one = waiting.pop()
            for before, after in pairs:
                if before == one and after not in found:
                    found.add(after)
                    waiting.append(after)
        if found != among:
            return False
    return True
