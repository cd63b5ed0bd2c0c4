"""Drives the compiled fuzz: resolves what is unknown, makes room, and hands over what the plain engine has to judge."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from sim.base.mixer import MASK
from sim.checker.compiled import layout as walk_layout
from sim.checker.compiled.arrays import Array
from sim.checker.compiled.mirror import Mirror, TooLarge, Unfit
from sim.checker.plain import only_plain
from sim.fuzzer.compiled import layout
from sim.fuzzer.compiled.facts import FactBook
from sim.fuzzer.compiled.layout import Buffers, Desk
from sim.fuzzer.compiled.states import Remembered
from sim.fuzzer.coverage import CoverageData
from sim.graph.graph import Graph
from sim.graph.judge import Judge
from sim.graph.state import State
from sim.native import walks
from sim.run.lasso import ROUND_MAX, is_round
from sim.strategy import PCTCP
from sim.strategy.canonical import usual_length
from sim.strategy.strikes import UNLIMITED_AS
from sim.world.choice import Choice
from sim.world.world import AnyWorld

BATCH = 200_000
"""Steps in one call: less than a tenth of a second, so that an interrupt is not kept waiting."""
ASKED = 2_000
"""Steps that take as long as one thing which the plain engine is asked."""
REMEMBER_BYTES = 1 << 30
"""States are forgotten when they take more; what they cover is kept."""


_CURRENT = ("always_eventually", "eventually_always")
_STRICT = ("eventually_always", "rests")


Keep = Callable[[CoverageData], None]
"""Takes what was covered, part by part."""


class Counts(NamedTuple):
    """What a fuzz has done so far."""

    schedules: int
    steps: int
    cut_short: int


class Sizes(NamedTuple):
    """The sizes of the schedules of PCTCP that came to rest (see `sim.fuzzer.bound`); more than two are two."""

    seen: list[tuple[int, int]]
    choices: bool


class CompiledFuzz:
    """Schedules of one graph by one strategy and seed."""

    def __init__(self, world: AnyWorld, *, strategy: str, seed: int, depth: int | None, max_steps: int) -> None:
        if not isinstance(world, Graph):
            raise TooLarge("a world other than a graph of states")
        if strategy not in layout.PURPOSES[: layout.FOR_SCHEDULES]:
            raise TooLarge("a strategy that picks in plain Python alone")
        if why := only_plain(world):
            raise Unfit(why)
        graph = self._graph = world
        self._judge = Judge(graph)
        ends = sorted(
            (end for end in self._judge.ends if end.holds is not None), key=lambda end: end.begins is not None
        )
        holds, self._premises = [e.holds for e in ends if e.holds], [e.begins for e in ends if e.begins]
        self._mirror = Mirror(graph, self._judge, [*holds, *self._premises])
        self._registers: Array = np.zeros(layout.REGISTERS, np.int64)
        self._random: Array = np.zeros(layout.RANDOM, np.uint64)
        self._random[layout.MASTER] = seed & MASK
        self._registers[layout.BATCH] = BATCH
        self._openable = [*self._judge.sometimes, *holds]
        if max_steps > layout.STEPS_MAX:
            raise TooLarge(f"more than {layout.STEPS_MAX} steps in a schedule")
        self._registers[layout.MAX_STEPS] = max_steps
        if len(self._openable) > layout.PROPERTIES_MAX:
            raise TooLarge(f"more than {layout.PROPERTIES_MAX} properties that must hold at some time")
        self._facts = FactBook(self._mirror, longest_ms=layout.TIME_MAX // (max_steps + 1))
        self._mirror.rows()  # from now on it knows what the initial states, which were just made, consist of
        self._states = Remembered(self._mirror, self._registers)
        self._settings = self._make_settings(strategy, PCTCP(seed, depth).depth)
        self._buffers = self._make_buffers(64)
        self._desk = self._make_desk(256, 16)
        self._path: Array = np.zeros((max_steps + 1, 2), np.int32)
        self._begin_anew()

    def _make_settings(self, strategy: str, depth: int) -> Array:
        graph, mirror, judge = self._graph, self._mirror, self._judge
        entries = graph.budget.entries
        settings: Array = np.zeros(layout.FUZZ_SETTINGS, np.int64)
        settings[walk_layout.NETWORK] = mirror.network
        settings[walk_layout.PROCESSES] = graph.width
        settings[walk_layout.LOCALS] = mirror.locals
        settings[walk_layout.BUDGETS] = mirror.budgets
        settings[walk_layout.CUTS] = mirror.cuts
        settings[walk_layout.DOWN_MAX] = -1 if graph.system.down_max is None else graph.system.down_max
        settings[walk_layout.MACHINES] = len(graph.machines.members)
        settings[walk_layout.LASTING] = (1 + len(graph.system.cuts)) * graph.lasting
        settings[walk_layout.ALWAYS] = len(judge.always)
        settings[layout.STRATEGY] = layout.PURPOSES.index(strategy)
        settings[layout.DEPTH] = depth
        settings[layout.LENGTH] = usual_length(graph)
        settings[layout.MOST] = sum(UNLIMITED_AS if entry.count is None else entry.count for entry in entries)
        settings[layout.ENDLESS] = int(graph.budget.endless)
        settings[layout.ENVELOPES] = self._facts.envelopes
        settings[layout.OPENABLE] = len(self._openable)
        kinds = [prop.property.kind for prop in self._openable]
        settings[layout.EVENTUALS] = sum(1 << i for i, kind in enumerate(kinds) if kind == "eventually")
        settings[layout.CURRENT] = sum(1 << i for i, kind in enumerate(kinds) if kind in _CURRENT)
        settings[layout.PREMISES] = len(self._premises)
        strict = not graph.fairness.is_weak or any(end.kind in _STRICT for end in judge.ends)
        settings[layout.STRICT] = int(strict)
        settings[layout.WAYS] = len(graph.starts())
        settings[layout.KINDS_KNOWN] = len(self._facts.kinds)
        settings[layout.EAGER] = len(entries)
        settings[layout.SIZED] = int(graph.only_messages())
        return settings

    def _make_buffers(self, cells: int) -> Buffers:
        return Buffers(*(np.zeros(size, np.int32) for size in (cells, cells, 4 * cells)))

    def _make_desk(self, events: int, rows: int) -> Desk:
        """Room for so many events, and chains in so many rows; a schedule begins again on a new desk."""
        chains, width = rows * (rows + 1) // 2, self._graph.width
        self._registers[[layout.CHAINS, layout.TOUCHED, layout.EVENTS, layout.CHAIN_ROWS]] = 0
        faults = max(1, int(self._settings[layout.MOST]))
        points, own = max(1, int(self._settings[layout.DEPTH])), self._facts.envelopes
        subjects = max(64, 2 * self._facts.subjects)

        def fresh(size: int, dtype: type = np.int32) -> Array:
            return np.full(max(1, size), -1, dtype)

        return Desk(
            due=fresh(faults, np.int64), moved=fresh(width), points=fresh(points, np.int64), lowered=fresh(chains),
            standing=fresh(rows), row=fresh(rows), set=fresh(chains), last=fresh(chains), rank=np.zeros(chains, np.uint64), parent=fresh(events), chain=fresh(events), leaf=fresh(events), up=fresh(events),
            next=fresh(events), first=fresh(subjects), final=fresh(subjects), touched=fresh(events),
            stamp=np.zeros(max(1, own), np.int64), when=fresh(events, np.int64), who=fresh(events), open=fresh(events),
            heap=fresh(events), waiting=fresh(width),
        )  # fmt: skip

    # --- running ------------------------------------------------------------------------------------

    def begin(self, keep: Keep) -> None:
        """Begins to count anew; `keep` gets what is covered from now on."""
        self._keep = keep
        self.left_off = False
        """Whether it stopped inside a schedule, which is not counted."""
        for register in (
            layout.SCHEDULES,
            layout.TOTAL_STEPS,
            layout.CUT_SHORT,
            layout.SIZES,
            layout.CHOSE,
            layout.ROUND,
        ):
            self._registers[register] = 0

    def run(
        self, first: int, end: int, pause: Callable[[], bool], over: Callable[[], bool] = lambda: False
    ) -> tuple[int, list[Choice]] | None:
        """Runs the schedules first..end, until one has to be judged by the plain engine: its number
        and actions, which are counted; or until `pause`, asked between schedules, or `over`, asked inside of them,
        says so, or all are done: None."""
        registers = self._registers
        self.left_off = False
        registers[layout.NUMBER] = first
        registers[layout.END] = end
        registers[layout.PHASE] = layout.BEGIN
        while True:
            ended = self._batch()
            if ended == layout.DONE:
                return None
            judged = ended in (layout.FOUND, layout.SUSPECT, layout.CAME_ROUND)
            inside = registers[layout.PHASE] != layout.BEGIN
            if inside and not judged and over():
                self.left_off = True
                registers[layout.TOTAL_STEPS] += registers[layout.STEPS]
                registers[layout.PHASE] = layout.BEGIN
                return None
            if ended == walk_layout.PAUSED and inside:
                continue
            if ended == walk_layout.PAUSED:
                if self._states.bytes > REMEMBER_BYTES or registers[layout.COUNT] > layout.COUNT_MAX:
                    self.hand_over()
                    self._begin_anew()
                if pause():
                    return None
                continue
            registers[layout.SPENT] += ASKED
            if ended in (layout.FOUND, layout.SUSPECT) or (ended == layout.CAME_ROUND and self._is_round()):
                return self._to_judge()
            if ended == layout.CAME_ROUND:
                continue
            self._resolve(ended)

    @property
    def next_number(self) -> int:
        """The number of the first schedule that was not run."""
        return int(self._registers[layout.NUMBER])

    @property
    def counts(self) -> Counts:
        """What was done since it began to count."""
        registers = self._registers
        done = (layout.SCHEDULES, layout.TOTAL_STEPS, layout.CUT_SHORT)
        return Counts(*(int(registers[register]) for register in done))

    @property
    def sizes(self) -> Sizes:
        """Those of the schedules that PCTCP picked."""
        registers = self._registers
        size = (int(registers[layout.SIZE_EVENTS]), int(registers[layout.SIZE_BREADTH]))
        another = (-1, -1)
        return Sizes([size, another][: registers[layout.SIZES]], bool(registers[layout.CHOSE]))

    def _batch(self) -> int:
        rows = self._mirror.rows()
        facts = self._facts.arrays(self._ways)
        self._settings[walk_layout.MAX_SENDS] = self._mirror.sends_max
        if self._facts.subjects > len(self._desk.first):
            more = np.full(2 * self._facts.subjects - len(self._desk.first), -1, np.int32)
            first, final = (np.concatenate([kept, more]) for kept in (self._desk.first, self._desk.final))
            self._desk = self._desk._replace(first=first, final=final)
        known = self._states.arrays()
        return int(
            walks.run(
                rows, facts, known, self._settings, self._registers, self._random, self._desk, self._buffers, self._path
            )
        )

    def _to_judge(self) -> tuple[int, list[Choice]]:
        registers = self._registers
        number, steps = int(registers[layout.NUMBER]), int(registers[layout.STEPS])
        registers[layout.SCHEDULES] += 1
        registers[layout.TOTAL_STEPS] += steps
        registers[layout.NUMBER] += 1
        registers[layout.COUNT] += 1
        registers[layout.PHASE] = layout.BEGIN
        return number, [self._mirror.action_list[action] for action in self._path[:steps, 0]]

    def _is_round(self) -> bool:
        """Whether the round that a schedule went is fair in every way; if not it goes on, as in `sim.run.lasso.Rounds`."""
        registers = self._registers
        end, length = int(registers[layout.STEPS]), int(registers[layout.LENGTH_SINCE])
        round_ = self._path[end - length : end].tolist()
        places = [self._mirror.state(self._states.cells(state)) for _, state in round_]
        if is_round(self._graph, places, [self._mirror.action_list[action] for action, _ in round_]):
            return True
        registers[layout.LOOK_AT] = 2 * length
        if length >= registers[layout.UNTIL]:
            registers[layout.KEPT], registers[layout.LENGTH_SINCE] = registers[layout.STATE], 0
            registers[layout.UNTIL], registers[layout.LOOK_AT] = min(2 * registers[layout.UNTIL], ROUND_MAX), 1
        return False

    # --- what the kernel does not know ----------------------------------------------------------------

    def _resolve(self, ended: int) -> None:
        registers, before = self._registers, self._mirror.answers
        if ended == walk_layout.UNKNOWN_ROW:
            self._mirror.learn(self._state())
        elif ended == walk_layout.UNKNOWN_HEARING:
            self._mirror.learn_hearing(self._state(), int(registers[layout.HEARING]))
        elif ended == walk_layout.UNKNOWN_VERDICT:
            self._learn_verdicts(self._mirror.state(self._buffers.after[: registers[layout.RAW]].tolist()))
        elif ended == walk_layout.FULL:
            self._states.grow(len(self._buffers.before))
        elif ended == walk_layout.SMALL_BUFFERS:
            self._buffers = self._make_buffers(2 * len(self._buffers.before) + self._mirror.sends_max)
        else:
            assert ended == layout.SMALL_DESK, f"the compiled fuzz ended with {ended}"
            self._desk = self._make_desk(2 * len(self._desk.parent), 2 * len(self._desk.row))
            registers[layout.PHASE] = layout.BEGIN
        asked = (walk_layout.UNKNOWN_ROW, walk_layout.UNKNOWN_HEARING, walk_layout.UNKNOWN_VERDICT)
        if ended in asked and self._mirror.answers == before:
            raise AssertionError(
                "the compiled fuzz asks what it was told before"
            )  # also under -O: it would ask forever

    def _state(self) -> State:
        return self._mirror.state(self._states.cells(int(self._registers[layout.STATE])))

    def _learn_verdicts(self, state: State) -> None:
        """What the predicates say about a new state; one that is violated is asked no further."""
        if all(self._mirror.learn_verdict(prop, state) for prop in self._judge.always):
            for prop in (*self._openable, *self._premises):
                self._mirror.learn_verdict(prop, state)

    # --- what is covered ------------------------------------------------------------------------------

    def hand_over(self) -> None:
        """Hands over what schedules have covered since the last time."""
        held = int(self._random[layout.HELD])
        self._random[layout.HELD] = 0
        names = tuple(prop.name for i, prop in enumerate(self._judge.sometimes) if held >> i & 1)
        self._keep(self._states.covered(names, int(self._registers[layout.ROUND])))

    def _begin_anew(self) -> None:
        """Remembers the initial states and nothing else."""
        self._states.forget()
        numbers: dict[State, int] = {}
        for start in self._graph.starts():
            state = start.place
            if state not in numbers:
                broken = self._judge.judge(state) is not None
                held = (
                    0
                    if broken
                    else sum(1 << i for i, prop in enumerate(self._openable) if prop(state.locals, state.net))
                )
                opens = 0 if broken else self._opens(state, held)
                numbers[state] = self._states.add(state, layout.BROKEN if broken else 0, held, opens)
        self._ways = [numbers[start.place] for start in self._graph.starts()]

    def _opens(self, state: State, held: int) -> int:
        """The properties that are unmet from this state on, as bits."""
        first = len(self._openable) - len(self._premises)
        begun = sum(1 << (first + i) for i, premise in enumerate(self._premises) if premise(state.locals, state.net))
        return (int(self._settings[layout.CURRENT]) | begun) & ~held
