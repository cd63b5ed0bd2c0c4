"""Drives the compiled walk: takes over from the plain one, resolves what is unknown, makes room, ends."""

from __future__ import annotations

import numpy as np

from sim.checker.compiled import layout
from sim.checker.compiled.arrays import Array
from sim.checker.compiled.mirror import Mirror, TooLarge
from sim.checker.compiled.store import States
from sim.checker.growth import LAST
from sim.checker.memory import held_bytes, reached
from sim.checker.plain import TIME_IS_UP, PlainWalk
from sim.graph.action import Action
from sim.graph.state import GraphStart, State
from sim.native import walks

BATCH = 20_000
"""States in one call: a few hundredths of a second, so that an interrupt is not kept waiting."""
LOOK_EVERY = 500
"""After so many questions to the plain engine the memory held is looked at: its tables grow with them."""

AHEAD_MIN, AHEAD_MAX = 16, 4_096
"""How many states are looked at for verdicts that are not known, where some are asked for: more where many were found."""
FOUND_CELLS, ASKED_MAX = 1 << 16, 1 << 13
"""The room for what is found in one look: cells of states, and places for what predicates are asked."""

_UNKNOWN = (layout.UNKNOWN_ROW, layout.UNKNOWN_HEARING, layout.UNKNOWN_IMAGE, layout.UNKNOWN_VERDICT)


class CompiledWalk:
    """The rest of a plain walk, compiled."""

    def __init__(self, walk: PlainWalk, level: list[State], exact: bool) -> None:
        self._plain = walk
        self._judge = walk.judge
        self._mirror = Mirror(walk.graph, walk.judge)
        self._list = list(walk.parents)
        """The states met by the plain walk, in their order."""
        self._states = States(self._mirror, self._list, len(level), exact, walk.edges)
        self._settings = self._make_settings(exact)
        for i, prop in enumerate(walk.judge.sometimes):
            self._mirror.unseen[i] = prop in walk.unseen
        registers = self._registers = self._states.registers
        registers[layout.LEVEL_END] = len(self._list)
        registers[layout.GENERATED] = walk.result.generated
        registers[layout.OUTSIDE] = walk.result.outside
        registers[layout.RESTS] = walk.result.rests
        self._small = self._buffers(64)
        self._found = np.zeros(FOUND_CELLS, np.int32)
        self._ahead = AHEAD_MIN
        self._asked = 0
        self._reduced = None
        if walk.reduction is not None:
            from sim.checker.compiled.reducing import Reducing

            self._reduced = Reducing(walk.reduction, self._mirror)
        if walk.edges is not None:
            links = [-1 if link is None else walk.numbers[link[0]] for link in walk.parents.values()]
            self._states.parent[: len(links)] = links

    def _make_settings(self, exact: bool) -> Array:
        walk, mirror = self._plain, self._mirror
        settings = np.zeros(layout.SETTINGS, np.int64)
        settings[layout.NETWORK] = mirror.network
        settings[layout.PROCESSES] = walk.graph.width
        settings[layout.LOCALS] = mirror.locals
        settings[layout.BUDGETS] = mirror.budgets
        settings[layout.CUTS] = mirror.cuts
        settings[layout.DOWN_MAX] = -1 if walk.graph.system.down_max is None else walk.graph.system.down_max
        settings[layout.MACHINES] = len(walk.graph.machines.members)
        settings[layout.LASTING] = (1 + len(walk.graph.system.cuts)) * walk.graph.lasting
        settings[layout.ALWAYS] = len(walk.judge.always)
        settings[layout.SOMETIMES] = len(walk.judge.sometimes)
        settings[layout.WITHIN] = int(walk.judge.within is not None)
        settings[layout.EXACT] = int(exact)
        settings[layout.KEEP_EDGES] = int(walk.edges is not None)
        settings[layout.MAX_STATES] = min(walk.limits.states or 0, layout.STATES_MAX)
        return settings

    @staticmethod
    def _buffers(cells: int) -> layout.Buffers:
        before, after, rows, steps = (np.zeros(size, np.int32) for size in (cells, cells, 4 * cells, 4 * cells))
        return layout.Buffers(before, after, rows, steps, np.zeros(4 * cells, np.uint64))

    # --- the walk -----------------------------------------------------------------------------------

    def run(self) -> None:
        """Walks to the end. Leaves what it covered in the result, also when it is interrupted."""
        result = self._plain.result
        result.engine = "compiled"
        try:
            self._run()
        except TooLarge as error:
            result.stopped = str(error)
        finally:
            self._report()
            if result.stopped:
                met = int(self._registers[layout.STATES])
                first = max(met - LAST, int(self._registers[layout.BASE]))
                self._plain.last = [self._state(number) for number in range(first, met)]

    def _run(self) -> None:
        registers, states = self._registers, self._states
        self._plain.next_level(int(registers[layout.STATES]))
        while True:
            ended = self._batch(BATCH)
            if self._plain.limits.time_is_up():
                self._plain.result.stopped = TIME_IS_UP
                return
            if ended == layout.LEVEL_DONE:
                if registers[layout.LEVEL_END] == registers[layout.STATES]:
                    self._report()
                    self._end()
                    return
                registers[layout.LEVEL_END] = registers[layout.STATES]
                self._report()
                self._plain.next_level(int(registers[layout.STATES]))
            elif ended in _UNKNOWN:
                self._ask(ended)
                if self._holds_too_much():
                    return
            elif ended == layout.SMALL_BUFFERS:
                self._small = self._buffers(2 * len(self._small.before) + self._mirror.sends_max)
            elif ended == layout.FULL:
                stopped = states.grow(len(self._small.before) + self._mirror.sends_max, self._plain.limits.memory)
                if stopped:
                    self._plain.result.stopped = stopped
                    return
            elif ended != layout.PAUSED:
                self._stop(ended)
                return

    def _batch(self, size: int) -> int:
        self._settings[layout.MAX_SENDS] = self._mirror.sends_max
        rows, store = self._mirror.rows(), self._states.store()
        if self._reduced is not None:
            return self._reduced.expand(rows, store, self._settings, self._registers, self._small, size)
        return int(walks.expand(rows, store, self._settings, self._registers, self._small, size))

    def _stop(self, ended: int) -> None:
        """The walk came to a violation, or to as many states as were asked for."""
        plain = self._plain
        if ended == layout.ENOUGH:
            plain.result.stopped = plain.limits.states_reached()
            return
        last = int(self._registers[layout.STATES if ended == layout.VIOLATED else layout.CURSOR]) - 1
        state = self._state(last)
        finding = self._judge.judge(state) if ended == layout.VIOLATED else self._judge.judge_quiescent(state)
        assert finding is not None, "the compiled walk sees a violation where the plain engine sees none"
        at_rest = ended == layout.AT_REST
        if not at_rest:
            for number in range(int(self._registers[layout.CURSOR]), int(self._registers[layout.LEVEL_END])):
                if plain.owes_at_rest(self._state(number)):
                    if plain.edges is not None:
                        self._states.resting[number] = 1
                    owed = self._judge.judge_quiescent(self._state(number))
                    if owed is not None and not at_rest:  # it is one step shorter
                        last, finding, at_rest = number, owed, True
                    if plain.edges is None and at_rest:
                        break
        plain.found(finding, *self._path(last), at_rest=at_rest)
        if plain.edges is not None:
            self._judge_whole()

    def _end(self) -> None:
        plain = self._plain
        plain.unseen = [prop for i, prop in enumerate(self._judge.sometimes) if self._mirror.unseen[i]]
        self._judge_whole()

    def _judge_whole(self) -> None:
        """What only the whole can tell."""
        plain = self._plain
        explored = None
        if plain.edges is not None:
            from sim.checker.compiled.cycles import ArrayGraph

            explored = ArrayGraph(self._states, self._mirror, len(plain.starts))
        plain.end(explored, self._path)

    def _report(self) -> None:
        result, registers = self._plain.result, self._registers
        result.states = states = int(registers[layout.STATES])
        result.generated = int(registers[layout.GENERATED])
        result.outside = int(registers[layout.OUTSIDE])
        result.rests = int(registers[layout.RESTS])
        if not self._settings[layout.EXACT]:
            result.collision_probability = min(1.0, states * (states - 1) / 2.0**65)

    # --- what the plain engine is asked -------------------------------------------------------------

    def _ask(self, ended: int) -> None:
        """Has the plain engine say what a batch ended for."""
        before = self._mirror.answers
        if ended == layout.UNKNOWN_ROW:
            self._learn()
        elif ended == layout.UNKNOWN_HEARING:
            self._learn_hearing()
        elif ended == layout.UNKNOWN_IMAGE:
            assert self._reduced is not None
            self._reduced.learn_image(self._small.after[: self._registers[layout.RAW]].tolist())
        else:
            self._learn_verdicts(self._unjudged())
        if self._mirror.answers == before and ended != layout.UNKNOWN_IMAGE:
            raise AssertionError(
                "the compiled walk asks what it was told before"
            )  # also under -O: it would ask forever

    def _holds_too_much(self) -> bool:
        """Whether the memory bound is reached by what was asked, which has room elsewhere than the states."""
        self._asked += 1
        bound = self._plain.limits.memory
        if bound is None or self._asked % LOOK_EVERY or held_bytes() <= bound:
            return False
        self._plain.result.stopped = reached(bound)
        return True

    def _learn(self) -> None:
        """All that the expansion of the state at the cursor needs."""
        state = self._state(int(self._registers[layout.CURSOR]))
        within = self._judge.within
        if within is None or self._mirror.learn_verdict(within, state):
            self._mirror.learn(state)
            if self._plain.reduction is not None:
                self._plain.reduction.enabled(state)

    def _learn_hearing(self) -> None:
        """What monitors make of an action of the state at the cursor."""
        state, number = self._state(int(self._registers[layout.CURSOR])), int(self._registers[layout.HEARING])
        if self._plain.reduction is not None:
            self._plain.reduction.heard(state, self._mirror.action_list[number])
        self._mirror.learn_hearing(state, number)

    def _unjudged(self) -> list[State]:
        """The new state that is to be judged, and those after it of which the predicates will be asked next."""
        one = self._small.after[: self._registers[layout.RAW]].tolist()
        if self._reduced is not None or self._settings[layout.MAX_STATES]:
            return [self._mirror.state(one)]
        rows, store, asked = self._mirror.rows(), self._states.store(), np.zeros(ASKED_MAX, np.uint64)
        most = self._ahead
        used = walks.ahead(rows, store, self._settings, self._registers, self._small, self._found, asked, most)
        found = self._found[:used].tolist()
        states: list[State] = []
        at = 0
        while at < used:
            length = found[at]
            states.append(self._mirror.state(found[at + 1 : at + 1 + length]))
            at += 1 + length
        self._ahead = min(max(AHEAD_MIN, AHEAD_MIN * len(states)), AHEAD_MAX)
        return states or [self._mirror.state(one)]

    def _learn_verdicts(self, states: list[State]) -> None:
        """What the predicates say about new states, in their order, as far as the plain walk would ask."""
        judge, mirror = self._judge, self._mirror
        unseen = {i: prop for i, prop in enumerate(judge.sometimes) if mirror.unseen[i]}
        for state in states:
            if not all(mirror.learn_verdict(prop, state) for prop in judge.always):
                return
            unseen = {i: prop for i, prop in unseen.items() if not mirror.learn_verdict(prop, state)}

    # --- states and paths ---------------------------------------------------------------------------

    def _state(self, number: int) -> State:
        if number < len(self._list):
            return self._list[number]
        return self._mirror.state(self._states.cells(number))

    def _path(self, number: int) -> tuple[list[Action], GraphStart]:
        """A shortest way to a state: replayed by the plain engine from where it knows it."""
        taken: list[int] = []
        while number >= len(self._list):
            taken.append(int(self._states.ordinal[number]))
            number = int(self._states.parent[number])
        state = self._list[number]
        path, begin = self._plain.path(state)
        graph = self._plain.graph
        for ordinal in reversed(taken):
            action = graph.enabled(state)[ordinal]
            path.append(action)
            state = self._plain.step(state, action)
        return path, begin
