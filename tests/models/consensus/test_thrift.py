"""A coordinator with a budget asks it before it asks an agent again; one that does not ask is caught."""

from __future__ import annotations

import pytest

import models.consensus as consensus
from models.consensus.thrift import Thrifty
from sim import ConfigError, check
from sim.metrics import Budget

ONE_AGENT = {"agents": 1, "retries": 2, "stop": False, "resends": 0}
PLAN = "agent_timeout:2,empty_response:1"


@pytest.mark.parametrize("budget_usd", ["0.005", "0.01", "0.02", "0.03", "9"])
@pytest.mark.parametrize("agents", [1, 2])
def test_no_schedule_asks_beyond_the_budget(budget_usd: str, agents: int) -> None:
    system = consensus.system(agents=agents, retries=1, stop=False, resends=0, budget_usd=budget_usd)
    result = check(system.with_(faults=PLAN))
    assert result.verdict == "ok", result
    assert "no question beyond the budget" in str(result.proved)


def test_a_coordinator_that_does_not_ask_its_budget_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Thrifty, "affords", lambda self, more: True)
    result = check(consensus.system(agents=1, retries=1, stop=False, resends=0, budget_usd="0.01").with_(faults=PLAN))
    assert result.finding is not None
    assert result.finding.property == "no question beyond the budget"


def test_a_budget_allows_exactly_as_many_questions_as_it_pays_for() -> None:
    budget = Budget("0.03")
    budget.spend("0.02")
    assert budget.allows("0.01")
    found = {budget_usd: _states(budget_usd) for budget_usd in ("0.01", "0.02", "0.03", "0.04")}
    assert found["0.01"] < found["0.02"] < found["0.03"] == found["0.04"], "three attempts are all that retries allow"


def _states(budget_usd: str) -> int:
    return check(consensus.system(**ONE_AGENT, budget_usd=budget_usd).with_(faults=PLAN)).states  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"budget_usd": "much"}, "budget_usd: budget is 'much'"),
        ({"budget_usd": "0"}, "budget_usd: budget is 0 USD"),
        ({"budget_usd": 0.05}, "budget_usd: it is 0.05; expected USD as a text"),
        ({"ask_usd": "-1"}, "ask_usd: budget is '-1'"),
        ({"budget_usd": "1", "profile": "fork"}, "budget_usd is for the coordinator without switches"),
    ],
)
def test_an_amount_that_is_none_is_refused(given: dict[str, object], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        consensus.system(**given)  # type: ignore[arg-type]
