"""Injection points: a fault strikes the call that it is meant for, in any order of calls; behind a closed gate, none."""

from __future__ import annotations

import asyncio
import itertools
import subprocess
import sys
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.consensus.failures import ERROR_KINDS
from sim import ConfigError
from sim.consensus.outside import failure_of
from sim.faults import (
    CONSENSUS,
    SPEC_KIT,
    Agent,
    AgentTimeoutError,
    ConsensusFailureError,
    DisconnectError,
    FaultScope,
    InjectedFault,
    RateLimitedError,
    inject,
    next_fault,
    open_gate,
)
from sim.faults.catalogue import TABLE
from sim.faults.injector import Injector
from sim.faults.plan import parse_plan
from sim.faults.points import read_scope

PLAN = "agent_timeout:3,consensus_fail:1"


def struck(calls: list[FaultScope], plan: str = PLAN, scope: str | None = None) -> list[str | None]:
    with open_gate(plan, scope=scope):
        return [fault and fault.kind for fault in map(next_fault, calls)]


# --- three agent calls and one consensus step, in any order -------------------


@given(
    st.permutations([*[Agent("gemini")] * 2, Agent("claude"), Agent("gpt_pro"), Agent("claude"), CONSENSUS, CONSENSUS])
)
def test_three_agent_calls_and_one_consensus_step_fail_in_any_order_of_calls(calls: list[FaultScope]) -> None:
    found = struck(calls)
    of_agents = [kind for call, kind in zip(calls, found, strict=True) if call.name == "agent"]
    of_steps = [kind for call, kind in zip(calls, found, strict=True) if call is CONSENSUS]
    assert of_agents == ["agent_timeout"] * 3 + [None] * 2
    assert of_steps == ["consensus_fail", None]


def test_the_order_of_the_plan_changes_nothing_either() -> None:
    calls = [CONSENSUS, Agent("a"), Agent("b"), CONSENSUS, Agent("c"), Agent("d")]
    assert struck(calls) == struck(calls, "consensus_fail:1,agent_timeout:3")
    assert Counter(struck(calls)) == {"agent_timeout": 3, "consensus_fail": 1, None: 2}


def test_without_kinds_the_plan_strikes_whatever_comes_first() -> None:
    """The saboteur: a point that does not say what it is takes what was meant for another."""
    assert struck([FaultScope("consensus"), *[Agent("a")] * 3]) != struck([CONSENSUS, *[Agent("a")] * 3])
    with open_gate(PLAN):
        assert isinstance(next_fault("spec_kit"), AgentTimeoutError)  # in a consensus step, for all it knows


def test_kinds_may_be_given_where_no_scope_says_them() -> None:
    with open_gate(PLAN) as faults:
        assert isinstance(next_fault("spec_kit", kinds=["consensus_fail"]), ConsensusFailureError)
        assert next_fault("spec_kit", kinds="consensus_fail") is None
        assert isinstance(next_fault("spec_kit", "gemini", kinds=("agent_timeout", "disconnect")), AgentTimeoutError)
        assert next_fault("spec_kit", kinds=()) is None
        assert faults.left() == {"agent_timeout:3": 2, "consensus_fail:1": 0}


@pytest.mark.parametrize("kind", ["agent_timout", "drop", "crash"])
def test_a_kind_that_cannot_strike_ordinary_code_is_refused(kind: str) -> None:
    with open_gate(PLAN), pytest.raises(ConfigError, match=f"unknown kind '{kind}'.*: use agent_timeout"):
        next_fault("spec_kit", kinds=[kind])


# --- scopes ---------------------------------------------------------------------------------------

POINTS = {
    "spec_kit": SPEC_KIT,
    "consensus": CONSENSUS,
    "gemini": Agent("gemini"),
    "claude": Agent("claude"),
    "own": FaultScope("own"),
}
COVERED = {
    "spec_kit": {"spec_kit", "consensus", "gemini", "claude"},
    "SpecKit": {"spec_kit", "consensus", "gemini", "claude"},
    "consensus": {"consensus"},
    "Consensus": {"consensus"},
    "agent": {"gemini", "claude"},
    "Agent(gemini)": {"gemini"},
    "agent( gemini )": {"gemini"},
    "own": {"own"},
    "auto_drive": set(),
}


@pytest.mark.parametrize(("scope", "point"), [*itertools.product(COVERED, POINTS)])
def test_every_scope_covers_its_points_and_no_other(scope: str, point: str) -> None:
    plan = "agent_timeout:unlimited,consensus_fail:unlimited"
    assert (struck([POINTS[point]], plan, scope) != [None]) is (point in COVERED[scope])


@pytest.mark.parametrize(
    "text", ["", "9", "a b", "consensus(gemini)", "agent()", "agent(a,b)", "agent(gemini", "own(x)"]
)
def test_what_is_no_scope_is_one_line(text: str) -> None:
    with pytest.raises(ConfigError, match=r"is not a scope; write spec_kit, consensus, agent\(gemini\)"):
        read_scope(text)
    if text:
        with pytest.raises(ConfigError, match="is not a scope"):
            open_gate(PLAN, scope=text)


def test_the_environment_names_the_scope_of_an_agent(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "SIM_DEV_FAULTS": "1",
        "SPEC_KIT_FAULTS": "disconnect:2",
        "SPEC_KIT_FAULTS_SCOPE": "Agent(claude)",
    }.items():
        monkeypatch.setenv(name, value)
    assert next_fault(Agent("gemini")) is None
    assert isinstance(next_fault(Agent("claude")), DisconnectError)


def test_an_entry_strikes_its_target_whatever_the_scope() -> None:
    calls = [Agent("claude"), CONSENSUS, Agent("gemini"), Agent("gemini")]
    assert struck(calls, "agent_timeout:1@gemini") == [None, None, "agent_timeout", None]


# --- around ordinary code ---------------------------------------------------------------------------


def test_a_decorated_function_fails_as_planned_before_it_runs() -> None:
    asked: list[str] = []

    @inject(Agent("gemini"))
    def ask(question: str) -> str:
        """Asks."""
        asked.append(question)
        return question.upper()

    assert (ask.__name__, ask.__doc__) == ("ask", "Asks.")
    with open_gate("agent_timeout:1"):
        with pytest.raises(AgentTimeoutError):
            ask("a")
        assert ask("b") == "B"
    assert asked == ["b"]


def test_a_decorated_coroutine_fails_when_it_is_awaited() -> None:
    @inject(lambda agent, question: Agent(agent))
    async def ask(agent: str, question: str) -> str:
        return f"{agent}: {question}"

    async def all_of_them() -> list[object]:
        return await asyncio.gather(
            *(ask(agent, "?") for agent in ("gemini", "claude", "gemini")), return_exceptions=True
        )

    with open_gate("disconnect:1@claude,rate_limited:1@gemini(30s)"):
        first, second, third = asyncio.run(all_of_them())
    assert isinstance(first, RateLimitedError)
    assert isinstance(second, DisconnectError)
    assert third == "gemini: ?"


def test_a_context_fails_when_it_is_entered_plain_or_asynchronous() -> None:
    async def step() -> str:
        async with inject(CONSENSUS):
            return "decided"

    with open_gate("consensus_fail:2"):
        with pytest.raises(ConsensusFailureError), inject(CONSENSUS):
            pytest.fail("the code ran")
        with pytest.raises(ConsensusFailureError):
            asyncio.run(step())
        assert asyncio.run(step()) == "decided"


def test_an_injection_point_is_entered_again_and_again_and_lets_errors_through() -> None:
    point = inject("spec_kit", "gemini", kinds=iter(["agent_timeout"]))  # an iterator is read once
    with open_gate("agent_timeout:1,consensus_fail:1"):
        found: list[str] = []
        for _ in range(3):
            try:
                with point:
                    raise KeyError("its own")
            except (InjectedFault, KeyError) as error:
                found.append(type(error).__name__)
        assert found == ["AgentTimeoutError", "KeyError", "KeyError"]


# --- exceptions as real ones --------------------------------------------------------------------------

KINDS = [row.kind for row in TABLE if row.error is not None]


@pytest.mark.parametrize("kind", KINDS)
def test_a_fault_is_the_failure_that_a_real_one_would_be(kind: str) -> None:
    with open_gate(f"{kind}:1"):
        fault = next_fault("spec_kit")
    assert fault is not None
    assert failure_of(fault).kind.name == ERROR_KINDS[kind].name


def test_a_rate_limit_carries_status_and_hint_as_a_server_s() -> None:
    with open_gate("rate_limited:1(1500ms),rate_limited:1"):
        hinted, bare = next_fault(Agent("gemini")), next_fault(Agent("gemini"))
    assert isinstance(hinted, RateLimitedError)
    assert isinstance(bare, RateLimitedError)
    assert hinted.status_code == bare.status_code == 429
    assert hinted.response is not None
    assert hinted.response.status_code == 429
    assert hinted.response.headers == {"retry-after": "2", "retry-after-ms": "1500"}
    assert (failure_of(hinted).reset_in_ms, failure_of(bare).reset_in_ms) == (1_500, None)
    assert AgentTimeoutError("spec_kit").response is None


# --- the gate stays double, and absent --------------------------------------------------------------

PRODUCTION = """
import asyncio
from sim.faults import CONSENSUS, Agent, inject, next_fault

@inject(Agent("gemini"))
def ask():
    return "asked"

async def step():
    async with inject(CONSENSUS):
        return "decided"

assert (ask(), asyncio.run(step()), next_fault(Agent("claude"))) == ("asked", "decided", None)
"""


def loaded(code: str, **variables: str) -> set[str]:
    environment = {"PYTHONPATH": ":".join(sys.path), **variables}
    told = f"{code}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True, env=environment)
    return {name for name in done.stdout.split() if name.startswith("sim.")}


@pytest.mark.parametrize("variables", [{}, {"SPEC_KIT_FAULTS": PLAN}, {"SIM_DEV_FAULTS": "1"}], ids=str)
def test_behind_a_closed_gate_points_load_neither_the_injector_nor_the_simulation(variables: dict[str, str]) -> None:
    found = loaded(PRODUCTION, **variables)
    assert "sim.faults.injector" not in found
    assert {name for name in found if not name.startswith(("sim.faults", "sim.base"))} == set()


def test_an_open_gate_loads_the_injector_and_would_be_caught() -> None:
    code = "from sim.faults import Agent, next_fault\nassert next_fault(Agent('a')) is not None"
    assert "sim.faults.injector" in loaded(code, SIM_DEV_FAULTS="1", SPEC_KIT_FAULTS=PLAN)


# --- many at once -----------------------------------------------------------------------------------


@given(st.lists(st.sampled_from([CONSENSUS, SPEC_KIT, Agent("a"), Agent("b")]), max_size=30))
def test_no_call_gets_a_kind_that_cannot_strike_it_and_no_entry_more_than_its_count(calls: list[FaultScope]) -> None:
    injector = Injector(parse_plan("agent_timeout:2,consensus_fail:2,disconnect:1@b,rate_limited:1"), "spec_kit")
    taken = [(call, injector.next_fault(call)) for call in calls]
    for call, fault in taken:
        assert fault is None or call.kinds is None or fault.kind in call.kinds
        assert not isinstance(fault, DisconnectError) or fault.target == "b"
    counts = Counter(fault.kind for _, fault in taken if fault is not None)
    assert counts == injector.struck()
    assert all(
        counts[kind] <= limit for kind, limit in {"agent_timeout": 2, "consensus_fail": 2, "disconnect": 1}.items()
    )
