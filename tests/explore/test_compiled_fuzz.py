"""The compiled fuzz against the plain one, which defines what a strategy picks: for the same seed every action of every
schedule, every count, and what is covered."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sim import ConfigError, Graph, Message, Process, System, eventually, fuzz, simulate, sometimes
from sim.fuzzer import fuzz as fuzzing
from sim.fuzzer.compiled import driver, layout
from sim.fuzzer.compiled.driver import CompiledFuzz
from sim.fuzzer.compiled.facts import FactBook
from sim.fuzzer.coverage import Coverage, CoverageData
from sim.fuzzer.fuzz import LAST, Fuzzer, FuzzResult, schedule_seed
from sim.scenario import load_target
from sim.strategy import STRATEGIES, make_strategy
from tests.counts import examples
from tests.persisting import begun
from tests.saboteurs.consensus import SABOTEURS
from tests.systems import systems

MAX_STEPS = 60


def summary(result: FuzzResult) -> dict[str, Any]:
    """What the engines must agree on."""
    return {
        "schedules": result.schedules,
        "steps": result.steps,
        "cut short": result.cut_short,
        "coverage": result.coverage.data(),
        "bound": result.bound,
        "found": result.found,
        "verdict": result.verdict,
    }


def agree(system: System, **arguments: Any) -> FuzzResult:
    plain = fuzz(system, engine="plain", **arguments)
    compiled = fuzz(system, engine="compiled", **arguments)
    assert summary(compiled) == summary(plain)
    return compiled


def paths(system: System, strategy: str, numbers: range, max_steps: int = MAX_STEPS) -> list[list[str]]:
    """The schedules of these numbers as the compiled walk takes them."""
    found = []
    for number in numbers:
        walk = CompiledFuzz(Graph(system), strategy=strategy, seed=3, depth=None, max_steps=max_steps)
        walk.run(number, number + 1, lambda: False)
        steps = int(walk._registers[layout.STEPS])
        found.append([str(walk._mirror.action_list[action].address) for action in walk._path[:steps, 0]])
    return found


def plain_paths(system: System, strategy: str, numbers: range, max_steps: int = MAX_STEPS) -> list[list[str]]:
    graph = Graph(system)
    picking = [make_strategy(strategy, schedule_seed(3, number), number=number) for number in numbers]
    runs = [simulate(graph, one, max_steps=max_steps, round_ends=True) for one in picking]
    return [[str(action.address) for _, action in run.trace.steps] for run in runs]


MODELS: list[tuple[str, dict[str, str]]] = [
    ("models.two_phase_commit", {"resource_managers": "3"}),
    ("models.paxos", {"clients": "2"}),
    ("models.consensus", {}),
    ("models.consensus", {"sequencing": "false"}),
    ("models.device_login", {}),
]


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize(("model", "config"), MODELS)
def test_both_engines_agree_on_every_model(model: str, config: dict[str, str], strategy: str) -> None:
    importlib.import_module(model)
    agree(load_target(model, config).system, strategy=strategy, schedules=60, seed=5)


@pytest.mark.parametrize("strategy", [name for name in STRATEGIES if name in layout.PURPOSES])
def test_the_same_seed_gives_the_same_actions(strategy: str) -> None:
    system = load_target("models.consensus", {}).system
    numbers = range(40, 46)
    taken = paths(system, strategy, numbers)
    assert taken == plain_paths(system, strategy, numbers)
    assert taken != paths(system, strategy, range(50, 56))


@st.composite
def _fuzzed(draw: Any) -> System:
    """A random system, some of them with properties of their own, some that begin where they were persisted."""
    system: System = draw(st.one_of(systems(), begun()))
    names = [*system.processes]
    one, other = draw(st.sampled_from(names)), draw(st.sampled_from(names))
    properties = [
        sometimes("met", lambda p: p.state == "c", reads=[one]),
        eventually("calm", lambda p: getattr(p, "x", 0) == 0, reads=[one]),
        eventually("burnt", lambda p, q: getattr(p, "fuel", 0) <= getattr(q, "fuel", 0), reads=[one, other]),
    ]
    chosen = draw(st.lists(st.sampled_from(range(3)), unique=True))
    return system.with_(properties=[properties[i] for i in chosen])


@given(_fuzzed(), st.sampled_from(sorted(STRATEGIES)), st.integers(0, 2**64 - 1), st.booleans())
@settings(max_examples=examples(150), deadline=None, suppress_health_check=list(HealthCheck))
def test_both_engines_agree_on_random_systems(system: System, strategy: str, seed: int, keep_going: bool) -> None:
    agree(system, strategy=strategy, seed=seed, schedules=15, max_steps=MAX_STEPS, keep_going=keep_going)


@pytest.mark.parametrize("saboteur", SABOTEURS[:6], ids=lambda saboteur: saboteur.name)
def test_both_engines_find_the_same(saboteur: Any) -> None:
    result = agree(saboteur.small(), schedules=90, keep_going=True)
    assert result.found


# --- room, time, and where it begins --------------------------------------------------------------------------


LITTLE_ROOM = [
    "sim.fuzzer.compiled.driver.REMEMBER_BYTES",
    "sim.fuzzer.compiled.layout.COUNT_MAX",
]


@pytest.mark.parametrize("room", LITTLE_ROOM)
@pytest.mark.parametrize("strategy", ["uniform", "pctcp", "timed"])
def test_what_is_forgotten_is_covered_all_the_same(monkeypatch: pytest.MonkeyPatch, strategy: str, room: str) -> None:
    system = load_target("models.consensus", {}).system
    plain = fuzz(system, engine="plain", schedules=200, strategy=strategy)
    parts: list[CoverageData] = []
    merge = Coverage.merge

    def noting(self: Coverage, data: CoverageData) -> None:
        parts.append(data)
        merge(self, data)

    monkeypatch.setattr(Coverage, "merge", noting)
    monkeypatch.setattr(room, 1)
    monkeypatch.setattr(driver, "BATCH", 1)
    assert summary(fuzz(system, engine="compiled", schedules=200, strategy=strategy)) == summary(plain)
    assert len(parts) > 5


@pytest.mark.parametrize("remembered", [1, driver.REMEMBER_BYTES])
@pytest.mark.parametrize("strategy", ["pctcp", "timed"])
def test_a_desk_that_is_too_small_makes_no_difference(
    monkeypatch: pytest.MonkeyPatch, strategy: str, remembered: int
) -> None:
    make = CompiledFuzz._make_desk
    sizes: list[int] = []

    def small(self: CompiledFuzz, events: int, rows: int) -> layout.Desk:
        sizes.append(events)
        return make(self, *((2, 1) if len(sizes) == 1 else (events, rows)))

    monkeypatch.setattr(CompiledFuzz, "_make_desk", small)
    monkeypatch.setattr(driver, "BATCH", 1)
    monkeypatch.setattr(driver, "REMEMBER_BYTES", remembered)
    agree(load_target("models.consensus", {}).system, strategy=strategy, schedules=40)
    assert len(sizes) > 3


def test_it_goes_over_where_that_pays_and_nothing_else_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    system = load_target("models.consensus", {}).system
    plain = fuzz(system, engine="plain", schedules=100)
    assert fuzz(system, schedules=100).engine == "plain", "a short fuzz does not load compiled code"
    monkeypatch.setattr(fuzzing, "PAYS_AT", 400)
    gone_over = fuzz(system, schedules=100)
    assert gone_over.engine == "compiled"
    assert summary(gone_over) == summary(plain)


def test_without_the_extension_it_says_so_and_goes_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    system = load_target("models.consensus", {}).system
    monkeypatch.setattr(fuzzing, "PAYS_AT", 100)
    monkeypatch.setattr("sim.checker.engine.missing", lambda: "no native extension")
    assert fuzz(system, schedules=20).engine == "plain"
    assert capsys.readouterr().err == "sim: no native extension, so the plain engine does it all, slower\n"
    with pytest.raises(ConfigError, match="engine 'compiled': no native extension"):
        fuzz(system, engine="compiled")
    with pytest.raises(ConfigError, match="unknown engine 'quick'"):
        fuzz(system, engine="quick")  # type: ignore[arg-type]


def test_what_is_too_large_for_the_arrays_goes_on_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    system = load_target("models.consensus", {}).system
    monkeypatch.setattr("sim.checker.compiled.mirror.LOCALS_MAX", 40)
    assert fuzz(system, engine="compiled", schedules=40).engine == "plain"
    agree(system, schedules=40)


@pytest.mark.parametrize("after", [0, 1, 5])
def test_an_interrupt_keeps_what_was_done(monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    system = load_target("models.consensus", {}).system
    asked: list[int] = []

    def interrupted(self: Any, ended: int) -> None:
        asked.append(ended)
        if len(asked) > after:
            raise KeyboardInterrupt
        resolve(self, ended)

    resolve = CompiledFuzz._resolve
    monkeypatch.setattr(CompiledFuzz, "_resolve", interrupted)
    result = fuzz(system, engine="compiled", schedules=100)
    assert result.interrupted
    assert result.schedules < 100
    assert result.coverage.states <= after + 1 + result.steps + 60


def test_the_parts_of_a_fuzzer_are_those_of_a_fuzz() -> None:
    system = load_target("models.consensus", {"sequencing": "false"}).system
    fuzzer = Fuzzer(system, engine="compiled", keep_going=True, seed=9)
    for first, schedules in ((0, 40), (40, 1), (41, 60)):
        part = fuzzer.run(first=first, schedules=schedules)
        assert part.engine == "compiled"
        plain = fuzz(system, engine="plain", keep_going=True, seed=9, first=first, schedules=schedules)
        assert summary(part) == summary(plain)


class Tick(Message):
    n: int


class Counter(Process):
    """Counts without end: whatever it meets is new."""

    states = ("on",)
    transitions = ({"trigger": Tick, "source": "on", "dest": None, "after": "count"},)
    n: int = 0

    def on_start(self) -> None:
        self.send(self.name, Tick(0))

    def count(self, tick: Tick) -> None:
        self.n = 2 * tick.n + self.choose(0, 1) + 1
        self.send(self.name, Tick(self.n))


def test_it_pauses_in_time_also_where_everything_is_new(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "BATCH", 1000)

    def steps_before_a_pause() -> int:
        walk = CompiledFuzz(Graph(System({"c": Counter()})), strategy="uniform", seed=0, depth=None, max_steps=40)
        walk.begin(lambda _: None)
        assert walk.run(0, LAST, lambda: True) is None
        return walk.counts.steps

    assert steps_before_a_pause() == 40
    monkeypatch.setattr(driver, "ASKED", 0)
    assert steps_before_a_pause() >= 960, "what the plain engine is asked takes no time"


def test_numbers_may_be_larger_than_any_in_the_arrays() -> None:
    system = load_target("models.consensus", {"sequencing": "false"}).system
    assert agree(system, schedules=10**30).found
    agree(system, first=LAST - 3, schedules=10**30, keep_going=True)
    small = load_target("models.two_phase_commit", {}).system
    assert fuzz(small, engine="compiled", schedules=1, max_steps=2**31 - 1).engine == "compiled"
    for max_steps in (2**31, 2**80):
        assert fuzz(small, engine="compiled", schedules=1, max_steps=max_steps).engine == "plain"


class Sleeper(Process):
    """Wakes up again and again."""

    states = ("on", "turned")
    timers = ("nap",)
    transitions = (
        {"trigger": "nap", "source": "on", "dest": "turned", "after": "on_start"},
        {"trigger": "nap", "source": "turned", "dest": "on", "after": "on_start"},
    )
    nap_ms: int

    def on_start(self) -> None:
        self.arm("nap", self.nap_ms)


@pytest.mark.parametrize("strategy", ["timed", "virtual_time"])
def test_a_clock_never_runs_over(strategy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def sleepers(nap_ms: int) -> System:
        return System({"short": Sleeper(nap_ms=nap_ms // 3), "long": Sleeper(nap_ms=nap_ms)})

    def agree_on_paths(nap_ms: int) -> bool:
        both = (find(sleepers(nap_ms), strategy, range(2), 40) for find in (paths, plain_paths))
        return next(both) == next(both)

    assert agree_on_paths(layout.TIME_MAX // 41)
    for much in (layout.TIME_MAX // 41 + 1, 2**63, 10**30):
        result = fuzz(sleepers(much), engine="compiled", strategy=strategy, schedules=2, max_steps=40)
        assert result.engine == "plain"
    monkeypatch.setattr(layout, "TIME_MAX", 2**70)
    assert not agree_on_paths(2**61), "longer than the clock can count"


def test_time_that_is_up_ends_it() -> None:
    system = load_target("models.consensus", {}).system
    result = fuzz(system, engine="compiled", seconds=0.01)
    assert result.schedules > 0 or result.unfinished
    assert not result.interrupted


# --- planted faults -----------------------------------------------------------------------------------------


def lie(column: int, value: int) -> Any:
    """The strategies are told something wrong of each action."""
    learn = FactBook._learn_action

    def wrong(self: FactBook, action: Any) -> None:
        learn(self, action)
        cells = self._fact._waiting[-1]
        cells[column] = value
        self._event._waiting[-1] = layout.NONE if cells[layout.FAULTY] else cells[layout.SUBJECT]

    return wrong


LIES = [
    ("swarm", layout.KINDS, 1),
    ("pctcp", layout.CONSUMES, 0),
    ("pctcp", layout.FAULTY, 1),
    ("pos", layout.STRIKE, 0),
    ("timed", layout.ALTERS, 0),
    ("timed", layout.WINDOW_OF, -1),
    ("virtual_time", layout.WINDOW, 0),
]


@pytest.mark.parametrize(("strategy", "column", "value"), LIES)
def test_a_strategy_that_is_told_something_wrong_is_caught(
    monkeypatch: pytest.MonkeyPatch, strategy: str, column: int, value: int
) -> None:
    monkeypatch.setattr(FactBook, "_learn_action", lie(column, value))
    system = load_target("models.consensus", {}, faults="duplicate:1,drop:1,crash:1,agent_timeout:1").system
    with pytest.raises(AssertionError):
        agree(system, strategy=strategy, schedules=400, max_steps=30)
