"""The faults that the environment asks for: the only place that reads its variables.

    SIM_DEV_FAULTS=1                     the opt-in; any other value is ignored
    SPEC_KIT_FAULTS=agent_timeout:3      a plan, in the one syntax of plans
    SPEC_KIT_FAULTS_SCOPE=spec_kit       which code it is for (the default), or consensus, agent(gemini)
    SPEC_KIT_FAULTS_AGENT=gemini         the target of entries that strike an agent and have no target
    SPEC_KIT_FAULTS_RESET=30             the hint of rate limits without one: seconds, now+30s, RFC 3339

The older spelling is `CODEX_FAULTS=disconnect:3,429:1` with `CODEX_FAULTS_SCOPE` and
`CODEX_FAULTS_429_RESET`. In both, `429` and `rate_limit` mean rate_limited, `timeout` agent_timeout. A
plan is read only behind an open gate; then a mistake in it is an error, never ignored.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

from sim.base.durations import parse_hint
from sim.base.errors import ConfigError, listing, unknown
from sim.faults import points
from sim.faults.catalogue import ROWS, Bites, Takes
from sim.faults.plan import parse_plan, split_plan

OPT_IN = "SIM_DEV_FAULTS"
SCOPE = "spec_kit"
"""The default scope of a plan."""

ALIASES = {"429": "rate_limited", "rate_limit": "rate_limited", "timeout": "agent_timeout"}


@dataclass(frozen=True)
class _Spelling:
    """The variables of one spelling."""

    plan: str
    scope: str
    reset: str
    agent: str | None = None

    @property
    def known(self) -> tuple[str, ...]:
        return (self.plan, self.scope, self.reset, *((self.agent,) if self.agent else ()))


_SPELLINGS = (
    _Spelling("SPEC_KIT_FAULTS", "SPEC_KIT_FAULTS_SCOPE", "SPEC_KIT_FAULTS_RESET", "SPEC_KIT_FAULTS_AGENT"),
    _Spelling("CODEX_FAULTS", "CODEX_FAULTS_SCOPE", "CODEX_FAULTS_429_RESET"),
)


@dataclass(frozen=True)
class EnvironmentPlan:
    """A plan of the environment: its text in the one syntax, the scope it is for, the variable it came from."""

    text: str
    scope: str
    variable: str


def opted_in(environ: Mapping[str, str] | None = None) -> bool:
    """Whether the environment opts in, which is half of what it takes to switch faults on."""
    return (os.environ if environ is None else environ).get(OPT_IN) == "1"


def plans_set(environ: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """The variables that hold a plan, valid or not."""
    given = os.environ if environ is None else environ
    return tuple(s.plan for s in _SPELLINGS if given.get(s.plan, "").strip())


def read_plan(environ: Mapping[str, str] | None = None) -> EnvironmentPlan | None:
    """The plan of the environment, or None. Call it only with the opt-in.

    Raises `ConfigError`, one line for each mistake, each naming the variable and the entry.
    """
    given = os.environ if environ is None else environ
    found = [s for s in _SPELLINGS if given.get(s.plan, "").strip()]
    if not found:
        return None
    if len(found) > 1:
        raise ConfigError(f"{listing([s.plan for s in found], 'and')} are both set; set one")
    spelling = found[0]
    mistakes = _strangers(spelling, given)
    scope = read_scope(given.get(spelling.scope, ""), spelling.scope, mistakes)
    agent = (given.get(spelling.agent, "").strip() or None) if spelling.agent else None
    if agent is not None and not re.fullmatch(r"\w[\w.-]*", agent):
        mistakes.append(f"{spelling.agent}: {agent!r} is not the name of an agent; write one such as gemini")
        agent = None
    hint = _read_reset(given.get(spelling.reset, "").strip(), spelling.reset, mistakes)
    texts = []
    for written in split_plan(given[spelling.plan]):
        text = _translated(written, agent, hint)
        texts.append(text)
        mistakes += [f"{spelling.plan}: {wrong}" for wrong in _wrong(written, text)]
    if mistakes:
        raise ConfigError(*mistakes)
    try:
        parse_plan(", ".join(texts), _own_kinds(texts))
    except ConfigError as error:  # an entry that repeats another
        raise ConfigError(*(f"{spelling.plan}: {wrong}" for wrong in error.mistakes)) from None
    return EnvironmentPlan(", ".join(texts), scope, spelling.plan)


def read_scope(text: str, variable: str, mistakes: list[str]) -> str:
    """A scope by its usual name; `spec_kit` by default."""
    try:
        return str(points.read_scope(text.strip() or SCOPE))
    except ConfigError as error:
        mistakes.append(f"{variable}: {error}")
        return SCOPE


def _strangers(spelling: _Spelling, given: Mapping[str, str]) -> list[str]:
    """Variables that look like ours but are not: misspelt, or not supported."""
    return [
        unknown("variable", name, spelling.known)
        for name in sorted(given)
        if name.startswith(f"{spelling.plan}_") and name not in spelling.known and given[name].strip()
    ]


def _read_reset(text: str, variable: str, mistakes: list[str]) -> str | None:
    """A reset hint as an entry spells it; what is wrong with it goes to `mistakes`."""
    if not text:
        return None
    hint = f"{text}s" if re.fullmatch(r"\d+(\.\d+)?", text, re.ASCII) else text
    try:
        parse_hint(hint)
    except ConfigError as error:
        mistakes.append(f"{variable}: {error}; or write seconds, now+30s, or an instant of RFC 3339")
        return None
    return hint


_KIND = re.compile(r"(?P<kind>\w+)(?P<rest>\s*:.*)", re.DOTALL)


def _translated(written: str, agent: str | None, hint: str | None) -> str:
    """An entry in the one syntax, with what the other variables add to it."""
    match = _KIND.fullmatch(written)
    if match is None:
        return written
    kind = ALIASES.get(match["kind"], match["kind"])
    text = kind + match["rest"]
    row = ROWS.get(kind)
    if row is None:
        return text
    if hint is not None and row.takes is Takes.HINT and "(" not in text:
        text += f"({hint})"
    if agent is not None and row.bites is Bites.ANSWER and "@" not in text:
        text += f"@{agent}"
    return text


def _wrong(written: str, text: str) -> list[str]:
    """What is wrong with one entry, in the words of the user."""
    try:
        parse_plan(text or " ,", _own_kinds([text]))
    except ConfigError as error:
        return [wrong.replace(repr(text), repr(written)) for wrong in error.mistakes[:1]]
    return []


def _own_kinds(texts: list[str]) -> tuple[str, ...]:
    """The kinds of these entries that we do not know: they may be a model's own, which only its reader knows."""
    matches = [_KIND.fullmatch(text) for text in texts]
    return tuple(m["kind"] for m in matches if m is not None and m["kind"] not in ROWS and not m["kind"][0].isdigit())
