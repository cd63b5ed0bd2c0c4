"""What a consensus run can be configured with, and what is wrong with a configuration."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sim import ConfigError, Message
from sim.metrics import Budget, MetricsError

from .messages import AckDecision, Decision, Response, Stored, Tick
from .references.profiles import PROFILES
from .references.switches import SWITCHES
from .stages import GATES, STAGES

RUN = "run-1"
FORMER = "run-0"
"""The run before this one."""

ANSWERS = ("ok", "conflict", "invalid", "empty", "keyless")
LATE: dict[str, tuple[str, Message]] = {
    "Response": ("coordinator", Response(FORMER, 1, "validate", "gemini", 1, "ok")),
    "Stored": ("coordinator", Stored(FORMER, 1)),
    "AckDecision": ("coordinator", AckDecision(FORMER, 1)),
    "Decision": ("consumer", Decision(FORMER, 1, "ok")),
    "Tick": ("consumer", Tick(FORMER, 1, 1, 0)),
}
"""What a former run may have left in the network, by name: (target, message)."""

_LEAST = {
    **dict.fromkeys(("retries", "resends", "updates", "countdown", "relaunches", "prompt_tokens", "answer_tokens"), 0),
    **dict.fromkeys(("queue", "patience_ms", "resend_ms"), 1),
}
_COUNTED = ("rounds", "retries", "resends", "updates", "countdown", "relaunches", "queue")
COUNT_MAX = 1_000
"""Beyond it a configuration is a slip, and building its system would never end."""


def check_options(**given: Any) -> None:
    """Raises ConfigError, a line for each mistake, if `system` cannot be configured in this way."""
    mistakes = _names(given) + _profile(given) + _roster(given)
    mistakes += [f"{key} is {given[key]}; it is {least} or more" for key, least in _LEAST.items() if given[key] < least]
    mistakes += [f"{key} is {given[key]}; it is {COUNT_MAX:,} or less" for key in _COUNTED if given[key] > COUNT_MAX]
    if not 1 <= given["first_round"] <= given["rounds"]:
        rounds = f"{given['first_round']} to {given['rounds']}"
        mistakes.append(f"rounds {rounds}: the first is 1 or more, and not after the last")
    if given["budget_ms"] is not None and given["budget_ms"] < 0:
        mistakes.append(f"budget_ms is {given['budget_ms']}; it is 0 or more")
    mistakes += _amounts(given) + _around(given)
    quorum = given["quorum"]
    if quorum is not None and not 1 <= quorum[0] <= quorum[1]:
        mistakes.append(f"quorum is {list(quorum)}; two integers, the first 1 or more and not above the second")
    if mistakes:
        raise ConfigError(*mistakes)


def _amounts(given: dict[str, Any]) -> list[str]:
    """Amounts of money are texts that a budget takes, and only our own coordinator has one."""
    mistakes = []
    if given["budget_usd"] is not None and (
        given["switches"] or given["profile"] != "sequenced" or not given["sequencing"]
    ):
        mistakes.append(
            "budget_usd is for the coordinator without switches; leave out switches, profile and sequencing"
        )
    for key in ("budget_usd", "ask_usd"):
        if given[key] is None and key == "budget_usd":
            continue
        try:
            if not isinstance(given[key], str):
                raise MetricsError(f"it is {given[key]!r}; expected USD as a text, such as '0.05'")
            Budget(given[key])
        except MetricsError as error:
            mistakes.append(f"{key}: {error}")
    return mistakes


AROUND = ("aggregator", "gates", "guardrail")
"""What a run may have around its stages."""


def _around(given: dict[str, Any]) -> list[str]:
    """What belongs together is given together."""
    mistakes = []
    if given["relaunches"] > 0 and not given["guardrail"]:
        mistakes.append(f"relaunches is {given['relaunches']}, and nothing is launched without guardrail; set it too")
    if given["gates"] and not any(name in GATES for name in given["stages"]):
        mistakes.append(
            f"gates are ahead of {_any_of(GATES)}, and stages has none of them; add one, or leave out gates"
        )
    if given["aggregator"] and given["agents"] < 2:
        mistakes.append(f"an aggregator sums up what others say, and agents is {given['agents']}; it is 2 or more")
    on = [name for name in AROUND if given[name]]
    if on and given["budget_usd"] is not None:
        mistakes.append(f"budget_usd is for the coordinator without {on[0]}; leave out one of the two")
    return mistakes


def _names(given: dict[str, Any]) -> list[str]:
    """Lists of names: each is known, and where there must be one there is."""
    mistakes = []
    for key, kind, known, may_be_empty in (
        ("stages", "stage", STAGES, False),
        ("answers", "answer", ANSWERS, False),
        ("former", "late message", LATE, True),
        ("switches", "switch", SWITCHES, True),
    ):
        strange = [_unknown(kind, name, known) for name in given[key] if name not in known]
        mistakes += strange or ([] if given[key] or may_be_empty else [f"{key} is empty; use {_any_of(known)}"])
    return mistakes


def _unknown(kind: str, name: object, known: Iterable[str]) -> str:
    return f"unknown {kind} {name!r}: use {_any_of(known)}"


def _any_of(names: Iterable[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} or {last}"


def _profile(given: dict[str, Any]) -> list[str]:
    profile = given["profile"]
    if profile not in PROFILES:
        return [_unknown("profile", profile, PROFILES)]
    if not given["sequencing"] and profile != "sequenced":
        return [f"sequencing off is a profile itself; leave out profile {profile!r}, or sequencing"]
    return []


def _roster(given: dict[str, Any]) -> list[str]:
    stages, agents = given["stages"], given["agents"]
    mistakes = []
    if sorted(set(stages)) == sorted(set(stages) & set(STAGES)) and list(stages) != [n for n in STAGES if n in stages]:
        mistakes.append(f"stages {list(stages)} are twice or out of order; the order is {', '.join(STAGES)}")
    longest = max((len(STAGES[name].roster) for name in stages if name in STAGES), default=1)
    if not 1 <= agents <= longest:
        mistakes.append(f"agents is {agents}; the roster has 1 to {longest}")
    return mistakes
