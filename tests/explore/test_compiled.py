"""The compiled walk against the plain one, which defines what a check does: not only the same verdict, but
the same states in the same order, so the same counts wherever a walk ends."""

from __future__ import annotations

import importlib
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sim import Action, ConfigError, Message, Process, System, always, check, eventually, fuzz, sometimes, within
from sim.base.interrupted import interrupt_afterwards
from sim.checker.compiled import layout
from sim.checker.compiled.mirror import Mirror
from sim.checker.compiled.walk import CompiledWalk
from sim.checker.result import CheckResult
from sim.scenario import load_target
from tests.counts import examples
from tests.native import variants
from tests.persisting import begun
from tests.systems import systems

STATES_MAX = 400


def summary(result: CheckResult) -> dict[str, Any]:
    """What the engines must agree on."""
    return {
        "states": result.states,
        "generated": result.generated,
        "depth": result.depth,
        "outside": result.outside,
        "verdict": result.verdict,
        "stopped": result.stopped,
        "finding": result.finding,
        "path": [str(action.address) for action in result.path],
        "begin": str(result.begin.address) if result.begin else None,
        "proved": result.proved,
        "handler_calls": result.handler_calls,
    }


def agree(system: System, **limits: Any) -> CheckResult:
    plain = check(system, engine="plain", **limits)
    for exact in (False, True):
        compiled = check(system, engine="compiled", exact=exact, **limits)
        assert summary(compiled) == summary(plain)
    return plain


@pytest.mark.parametrize(
    ("model", "config"),
    [
        *(("models.two_phase_commit", {"resource_managers": str(n)}) for n in range(1, 6)),
        *(("models.paxos", {"clients": str(n)}) for n in (1, 2)),
        ("models.consensus", {"agents": "1", "retries": "0", "resends": "0"}),
        ("models.consensus", {"agents": "1", "answers": "ok,conflict"}),
    ],
)
def test_both_engines_agree_on_every_model(model: str, config: dict[str, str]) -> None:
    importlib.import_module(model)
    agree(load_target(model, config).system, max_states=10_000)


@st.composite
def _judged(draw: Any) -> System:
    """A random system, some of them with properties and a bound of their own."""
    system: System = draw(systems())
    names = [*system.processes]
    one, other = draw(st.sampled_from(names)), draw(st.sampled_from(names))
    number = draw(st.integers(0, 2))
    properties = [
        sometimes("met", lambda p: p.state != "c", reads=[one]),
        always("fuel stays", lambda p, q: getattr(p, "fuel", 0) + getattr(q, "fuel", 0) >= number - 1, [one, other]),
        eventually("calm", lambda p: getattr(p, "x", 0) == 0, reads=[one]),
        eventually("burnt", lambda p, q: getattr(p, "fuel", 0) <= getattr(q, "fuel", 0), reads=[one, other]),
    ]
    chosen = draw(st.lists(st.sampled_from(range(4)), unique=True))
    bound = within("few", lambda p: getattr(p, "fuel", 0) >= number, reads=[other]) if draw(st.booleans()) else None
    return system.with_(properties=[properties[i] for i in chosen], within=bound)


@given(_judged(), st.sampled_from((STATES_MAX, STATES_MAX, STATES_MAX, 7)))
@settings(max_examples=examples(10_000), deadline=None, suppress_health_check=list(HealthCheck))
def test_both_engines_agree_on_random_systems(system: System, max_states: int) -> None:
    agree(system, max_states=max_states)


# --- planted faults -----------------------------------------------------------------------------------------


def _sabotage(monkeypatch: pytest.MonkeyPatch, change: Callable[[Action], Action]) -> None:
    """The compiled walk is told something wrong of each action."""
    number = Mirror.number

    def wrong(self: Mirror, action: Action) -> int:
        if action not in self._numbers:
            known = number(self, change(action))
            self._numbers[action] = known
        return self._numbers[action]

    monkeypatch.setattr(Mirror, "number", wrong)


SABOTEURS: dict[str, Callable[[Action], Action]] = {
    "a send is lost": lambda a: replace(a, effect=a.effect._replace(sends=a.effect.sends[:-1])),
    "nothing is consumed": lambda a: replace(a, effect=a.effect._replace(consumed=-1)),
    "budgets never run out": lambda a: replace(a, effect=a.effect._replace(spends=())),
    "monitors hear nothing": lambda a: replace(a, effect=a.effect._replace(heard=())),
    "nothing is progress": lambda a: replace(a, progress=False),
}


@pytest.mark.parametrize("name", SABOTEURS)
def test_a_planted_divergence_is_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    system = load_target("models.consensus", {"agents": "1"}).system
    assert agree(system, max_states=3000).states == 3000
    _sabotage(monkeypatch, SABOTEURS[name])
    with pytest.raises(AssertionError):
        agree(system, max_states=3000)


WEAK = """
import sys
from tests.counts import examples
from tests.native import variants
from tests.persisting import begun
from pathlib import Path
variants.take(Path(sys.argv[1]))
from sim import check
from sim.scenario import load_target
system = load_target("models.two_phase_commit", {"resource_managers": "2"}).system
for exact in (True, False):
    print(check(system, engine="compiled", exact=exact).states)
"""


def test_an_exact_walk_tells_states_of_one_fingerprint_apart_and_the_other_cannot(tmp_path: Path) -> None:
    weak = variants.builder().compile_into(tmp_path, "-O0", "-DROUNDSIM_WEAK")
    command = [sys.executable, "-c", WEAK, str(weak)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=variants.ROOT)
    exact, by_fingerprint = map(int, done.stdout.split())
    assert exact == 56
    assert by_fingerprint < 56


@pytest.mark.parametrize("forgets", ["learn", "learn_verdict", "learn_hearing"])
@pytest.mark.parametrize("walk", [check, partial(fuzz, schedules=50)])
def test_a_walk_that_is_not_told_what_it_asks_for_does_not_ask_forever(
    forgets: str, walk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = load_target("models.consensus", {"agents": "1"}).system
    monkeypatch.setattr(Mirror, forgets, lambda *_: True)
    with pytest.raises(AssertionError, match="asks what it was told before"):
        walk(system, engine="compiled")


class Counter(Process):
    """Counts on for ever."""

    states = ("up",)
    must = ("step",)
    n: int = 0
    transitions = ({"trigger": "step", "source": "up", "dest": None, "after": "count"},)

    def count(self) -> None:
        self.n += 1


def test_states_outside_of_the_bound_have_no_edges_though_others_come_after_them() -> None:
    """Two in a row, then one inside: they would seem to lead wherever the first states lead, and so to a round."""
    gap = within("gap", lambda a, b: a.n + b.n <= 4 and (a.n, b.n) not in {(2, 0), (1, 1)})
    never = eventually("never", lambda a: False)
    result = agree(System({"a": Counter(), "b": Counter()}, within=gap, properties=[never]))
    assert (result.verdict, result.states, result.outside) == ("ok", 15, 6)


# --- how a walk begins and ends -----------------------------------------------------------------------------


def _commit(managers: int) -> System:
    return load_target("models.two_phase_commit", {"resource_managers": str(managers)}).system


def test_auto_goes_over_in_the_middle_and_comes_to_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = check(_commit(4), engine="plain")
    for at in (1, 2, 50, 700, 1568, 10**6):
        monkeypatch.setattr("sim.checker.exhaustive.PAYS_AT", at)
        result = check(_commit(4))
        assert result.engine == ("compiled" if at < 10**6 else "plain")
        assert summary(result) == summary(plain)


def test_a_small_model_loads_nothing_of_the_compiled_walk() -> None:
    script = (
        "import sys; from sim.cli import call; call(['check', 'models.two_phase_commit', '--json']);"
        "assert 'sim.checker.compiled.walk' not in sys.modules and 'numpy' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)


def test_without_the_extension_the_plain_engine_does_it_and_says_so_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sim.checker.exhaustive.PAYS_AT", 10)
    monkeypatch.setattr("sim.checker.engine.missing", lambda: "no native extension")
    result = check(_commit(3))
    assert (result.states, result.engine) == (288, "plain")
    assert capsys.readouterr().err.count("\n") == 1
    with pytest.raises(ConfigError, match="engine 'compiled': no native extension"):
        check(_commit(3), engine="compiled")


def test_an_engine_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError, match="unknown engine 'fast': use auto, plain or compiled"):
        check(_commit(1), engine="fast")  # type: ignore[arg-type]


@pytest.mark.parametrize("engine", ["plain", "compiled"])
def test_a_memory_bound_ends_the_walk_clearly(engine: Any) -> None:
    result = check(_commit(5), engine=engine, max_memory=1)
    assert result.verdict == "incomplete"
    assert "memory bound" in result.stopped
    assert 0 < result.states < 8832


class Tell(Message):
    n: int


class Talker(Process):
    """Tells itself two hundred things, in any order."""

    states = ("open", "done")
    transitions = (
        {"trigger": Tell, "source": "open", "dest": "done"},
        {"trigger": Tell, "source": "done", "dest": None},
    )

    def on_start(self) -> None:
        for n in range(200):
            self.send("talker", Tell(n))


def test_more_edges_from_one_state_than_there_are_so_far_make_room() -> None:
    system = System({"talker": Talker()}, properties=[eventually("done", lambda talker: talker.state == "done")])
    plain, compiled = (check(system, engine=engine, max_states=2_000) for engine in ("plain", "compiled"))
    assert (compiled.states, compiled.generated) == (plain.states, plain.generated)


PEAK = """
import re, sys
from pathlib import Path
from sim import check
from sim.checker.compiled import store, walk
from sim.checker.memory import held_bytes
from sim.scenario import load_target
check(load_target("models.consensus", {"agents": "1"}).system, engine="compiled")  # making code takes memory too
Path("/proc/self/clear_refs").write_text("5")  # the peak is counted from here
bound = held_bytes() + (150 << 20)
if sys.argv[1:]:
    store.held_bytes = walk.held_bytes = lambda: 0
    store.States._bytes = lambda self: 0
system = load_target("models.consensus", {"agents": "3"}).system
result = check(system, engine="compiled", max_memory=bound, max_states=1_500_000)
peak = int(re.findall(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[0]) << 10
print(round(100 * peak / bound), result.stopped)
"""


@pytest.mark.parametrize("plant", [(), ("nothing held is counted",)])
def test_a_process_stays_within_its_memory_bound(plant: tuple[str, ...]) -> None:
    done = subprocess.run([sys.executable, "-c", PEAK, *plant], capture_output=True, text=True, check=True)
    percent, _, stopped = done.stdout.partition(" ")
    assert stopped.startswith("the memory bound of ") == (not plant)
    assert (int(percent) <= 100) == (not plant)


def test_what_the_plain_engine_holds_meanwhile_counts_as_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sim.checker.compiled.walk.held_bytes", lambda: 2**50)
    much = 2**40  # the arrays come nowhere near it
    monkeypatch.setattr("sim.checker.compiled.walk.LOOK_EVERY", 10**9)
    assert check(_commit(5), engine="compiled", max_memory=much).verdict == "ok", "it is looked at nowhere else"
    monkeypatch.setattr("sim.checker.compiled.walk.LOOK_EVERY", 10)
    result = check(_commit(5), engine="compiled", max_memory=much)
    assert (result.verdict, result.stopped) == ("incomplete", "the memory bound of 1,048,576 MiB was reached")
    assert 0 < result.states < 8832


@pytest.mark.parametrize("engine", ["plain", "compiled"])
def test_bounds_may_be_larger_than_any_number_in_the_arrays_and_not_below_one(engine: Any) -> None:
    assert check(_commit(3), engine=engine, max_states=10**20, max_memory=10**30).states == 288
    for bound in ("max_states", "max_memory"):
        with pytest.raises(ConfigError, match=f"{bound} is 0; must be more than 0"):
            check(_commit(3), engine=engine, **{bound: 0})


def test_an_interrupt_keeps_what_the_compiled_walk_covered(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = CompiledWalk._batch

    def interrupted(self: CompiledWalk, size: int) -> int:
        if self._registers[layout.STATES] > 1000:
            raise KeyboardInterrupt
        return batch(self, min(size, 10))

    monkeypatch.setattr(CompiledWalk, "_batch", interrupted)
    result = check(_commit(5), engine="compiled")
    assert (result.stopped, result.verdict) == ("interrupted", "incomplete")
    assert 1000 < result.states < 8832
    assert result.generated > result.states


def test_an_interrupt_while_numpy_is_loaded_is_kept_until_it_is() -> None:
    done = []
    before = signal.getsignal(signal.SIGINT)

    def load() -> None:
        with interrupt_afterwards():
            signal.raise_signal(signal.SIGINT)
            done.append("loaded")

    with pytest.raises(KeyboardInterrupt):
        load()
    assert done == ["loaded"]
    assert signal.getsignal(signal.SIGINT) is before


def test_an_interrupt_while_cycles_are_judged_proves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    system = _commit(2).with_(properties=[eventually("never", lambda manager: False)])
    assert check(system, engine="compiled").verdict == "violated"
    monkeypatch.setattr("sim.checker.compiled.cycles.ArrayGraph._reach", interrupted)
    result = check(system, engine="compiled")
    assert (result.stopped, result.verdict, result.proved) == ("interrupted", "incomplete", [])


def test_the_probability_of_a_collision_is_said_and_an_exact_walk_has_none() -> None:
    states = 288
    assert check(_commit(3), engine="compiled").collision_probability == states * (states - 1) / 2**65
    assert check(_commit(3), engine="compiled", exact=True).collision_probability == 0
    assert check(_commit(3), engine="plain").collision_probability == 0


@given(begun())
@settings(
    max_examples=examples(40), deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None
)
def test_both_engines_agree_on_systems_that_begin_where_they_were_persisted(system: System) -> None:
    agree(system, max_states=STATES_MAX)
