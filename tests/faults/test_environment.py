"""Plans from the environment: both spellings, and every malformed entry an error that names it."""

from __future__ import annotations

import pytest

from sim import ConfigError
from sim.faults import FaultEntry, parse_plan
from sim.faults.environment import EnvironmentPlan, opted_in, plans_set, read_plan

PLANS: list[tuple[dict[str, str], str, str]] = [
    ({"SPEC_KIT_FAULTS": "agent_timeout:3,consensus_fail:1"}, "agent_timeout:3, consensus_fail:1", "spec_kit"),
    ({"SPEC_KIT_FAULTS": "drop:1", "SPEC_KIT_FAULTS_SCOPE": "auto_drive"}, "drop:1", "auto_drive"),
    ({"SPEC_KIT_FAULTS": "drop:1", "SPEC_KIT_FAULTS_SCOPE": "speckit"}, "drop:1", "spec_kit"),
    (
        {"SPEC_KIT_FAULTS": "agent_timeout:1,consensus_fail:1,drop:1", "SPEC_KIT_FAULTS_AGENT": "gemini"},
        "agent_timeout:1@gemini, consensus_fail:1, drop:1",  # only an answer is an agent's
        "spec_kit",
    ),
    (
        {"SPEC_KIT_FAULTS": "disconnect:1@claude,429:1", "SPEC_KIT_FAULTS_AGENT": "gemini"},
        "disconnect:1@claude, rate_limited:1@gemini",
        "spec_kit",
    ),
    ({"SPEC_KIT_FAULTS": "429:1", "SPEC_KIT_FAULTS_RESET": "30"}, "rate_limited:1(30s)", "spec_kit"),
    ({"SPEC_KIT_FAULTS": "429:1(1m)", "SPEC_KIT_FAULTS_RESET": "30"}, "rate_limited:1(1m)", "spec_kit"),
    ({"CODEX_FAULTS": "disconnect:3,429:1"}, "disconnect:3, rate_limited:1", "spec_kit"),
    (
        {"CODEX_FAULTS": "timeout:2,rate_limit:1", "CODEX_FAULTS_SCOPE": "auto_drive", "CODEX_FAULTS_429_RESET": "1.5"},
        "agent_timeout:2, rate_limited:1(1.5s)",
        "auto_drive",
    ),
    ({"CODEX_FAULTS": "429:1", "CODEX_FAULTS_429_RESET": "now+30s"}, "rate_limited:1(now+30s)", "spec_kit"),
    (
        {"CODEX_FAULTS": "429:1", "CODEX_FAULTS_429_RESET": "2025-01-01T00:00:30Z"},
        "rate_limited:1(2025-01-01T00:00:30Z)",
        "spec_kit",
    ),
    ({"SPEC_KIT_FAULTS": "sulk:1"}, "sulk:1", "spec_kit"),  # a model's own kind, which its reader knows
]


@pytest.mark.parametrize(("variables", "text", "scope"), PLANS)
def test_a_plan_is_read_in_either_spelling(variables: dict[str, str], text: str, scope: str) -> None:
    variable = next(name for name in variables if name in ("SPEC_KIT_FAULTS", "CODEX_FAULTS"))
    assert read_plan(variables) == EnvironmentPlan(text, scope, variable)
    parse_plan(text, ["sulk"])


@pytest.mark.parametrize("hint", ["30", "30s", "now+30s", "2025-01-01T00:00:30Z", "2025-01-01T01:00:30+01:00"])
def test_every_form_of_a_hint_means_the_same_half_minute(hint: str) -> None:
    found = read_plan({"SPEC_KIT_FAULTS": "rate_limited:2", "SPEC_KIT_FAULTS_RESET": hint})
    assert found is not None
    assert parse_plan(found.text) == (FaultEntry("rate_limited", 2, None, 30_000),)


MISTAKES: list[tuple[dict[str, str], str]] = [
    ({"SPEC_KIT_FAULTS": "agent_timeout"}, "SPEC_KIT_FAULTS: fault 'agent_timeout' is malformed"),
    ({"SPEC_KIT_FAULTS": "agent_timeout:1,"}, "SPEC_KIT_FAULTS: fault '' is malformed"),
    ({"SPEC_KIT_FAULTS": "agent_timeout:-1"}, "fault 'agent_timeout:-1' is malformed"),
    ({"SPEC_KIT_FAULTS": "agent_timeout:many"}, "fault 'agent_timeout:many': 'many' is not a count"),
    ({"CODEX_FAULTS": "429:x"}, "CODEX_FAULTS: fault '429:x': 'x' is not a count"),
    ({"CODEX_FAULTS": "500:1"}, "fault '500:1' is malformed"),
    ({"CODEX_FAULTS": "429:1,rate_limit:2"}, "fault 'rate_limited:2' repeats 'rate_limited:1'"),
    ({"CODEX_FAULTS": "disconnect:1,disconnect:2"}, "fault 'disconnect:2' repeats 'disconnect:1'"),
    ({"CODEX_FAULTS": "429:1", "CODEX_FAULTS_429_RESET": "soon"}, "CODEX_FAULTS_429_RESET: 'soon' is not a duration"),
    ({"SPEC_KIT_FAULTS": "429:1", "SPEC_KIT_FAULTS_RESET": "-3"}, "SPEC_KIT_FAULTS_RESET: '-3' is not a duration"),
    ({"SPEC_KIT_FAULTS": "429:1", "SPEC_KIT_FAULTS_RESET": "2025-02-30T00:00:00Z"}, "is not an instant"),
    ({"SPEC_KIT_FAULTS": "429:1(soon)"}, "fault '429:1(soon)': 'soon' is not a duration"),
    ({"SPEC_KIT_FAULTS": "drop:1", "SPEC_KIT_FAULTS_SCOPE": "a b"}, "SPEC_KIT_FAULTS_SCOPE: 'a b' is not a scope"),
    ({"SPEC_KIT_FAULTS": "drop:1", "SPEC_KIT_FAULTS_AGENT": "a b"}, "SPEC_KIT_FAULTS_AGENT: 'a b' is not the name"),
    ({"SPEC_KIT_FAULTS": "drop:1", "SPEC_KIT_FAULTS_AGNET": "a"}, "did you mean 'SPEC_KIT_FAULTS_AGENT'?"),
    ({"CODEX_FAULTS": "timeout:1", "CODEX_FAULTS_TIMEOUT_MS": "5"}, "unknown variable 'CODEX_FAULTS_TIMEOUT_MS'"),
    ({"CODEX_FAULTS": "429:1", "SPEC_KIT_FAULTS": "drop:1"}, "SPEC_KIT_FAULTS and CODEX_FAULTS are both set"),
]


@pytest.mark.parametrize(("variables", "says"), MISTAKES)
def test_what_is_malformed_is_one_line_that_names_it(variables: dict[str, str], says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_plan(variables)
    assert len(caught.value.mistakes) == 1
    assert says in caught.value.mistakes[0]


def test_all_malformed_entries_are_told_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        read_plan({"SPEC_KIT_FAULTS": "drop, agent_timeout:1, crash:x", "SPEC_KIT_FAULTS_RESET": "soon"})
    assert len(caught.value.mistakes) == 3


def test_only_a_one_is_an_opt_in() -> None:
    assert opted_in({"SIM_DEV_FAULTS": "1"})
    assert not any(opted_in({"SIM_DEV_FAULTS": value}) for value in ("", "0", "yes", "true", "11", " 1"))
    assert not opted_in({})


def test_an_empty_variable_is_no_plan() -> None:
    assert read_plan({"SPEC_KIT_FAULTS": " "}) is None
    assert plans_set({"SPEC_KIT_FAULTS": "", "CODEX_FAULTS": "drop:1"}) == ("CODEX_FAULTS",)
