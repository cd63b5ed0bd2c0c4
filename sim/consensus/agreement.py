"""What answers say together: by two words, or by any value.

`verdict` is for answers that say whether they agree (`ok`, `conflict`, anything else is silence). `agree` is for answers
of any kind: it compares them whole or by a key, counts or weighs them, and says how sure that is. Integers only: two thirds
of three are two, where a share of 0.67 would ask for all three.

    >>> agree([("ann", "4"), ("bob", "four"), ("eve", "4")], ("ann", "bob", "eve"), quorum=(2, 3)).label
    <Label.MEDIUM: 'the quorum agrees, and somebody says otherwise'>
    >>> print(agree([("ann", {"n": 4}), ("bob", {"n": 4})], ("ann", "bob"), by=lambda one: one["n"]).value)
    {'n': 4}
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any


def verdict(answers: Sequence[tuple[str, str]], roster: Sequence[str], quorum: tuple[int, int]) -> str:
    """What (agent, answer) pairs say together; `quorum` is the share of the roster that has to agree.

    - `conflict`: somebody disagrees
    - `no_consensus`: fewer than the quorum agree, the others being silent or unreadable
    - `degraded`: the quorum agrees, but not everybody
    - `ok`: everybody agrees
    """
    if any(answer == "conflict" for _, answer in answers):
        return "conflict"
    agreeing = {agent for agent, answer in answers if answer == "ok"}
    if len(agreeing) < needed(len(roster), quorum):
        return "no_consensus"
    return "ok" if agreeing >= set(roster) else "degraded"


def needed(agents: int, quorum: tuple[int, int]) -> int:
    """How many of `agents` are the quorum: that share, rounded up, at least one and at most all."""
    share, of = quorum
    return min(max(-(-agents * share // of), 1), agents)


class Label(Enum):
    """How sure an agreement is; the values are the sentences users read."""

    HIGH = "everybody who was asked says the same"
    MEDIUM = "the quorum agrees, and somebody says otherwise"
    QUIET = "the quorum agrees, and somebody says nothing"
    LOW = "fewer than the quorum agree"
    TIE = "as many say one thing as another"


class Who(Enum):
    """Who settles a question."""

    NOBODY = "it settles itself"
    PERSON = "a person"


@dataclass(frozen=True, slots=True)
class Agreement:
    """What comes of some answers.

    - `value`: what the agents in `behind` say, the first of them in the order of the roster; None if nothing was said
    - `against`: those who say something else; `silent`: those of the roster who say nothing
    """

    label: Label
    value: Any
    behind: tuple[str, ...]
    against: tuple[str, ...]
    silent: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether the quorum agrees."""
        return self.label in (Label.HIGH, Label.MEDIUM, Label.QUIET)


def agree(
    answers: Iterable[tuple[str, Any]],
    roster: Sequence[str],
    quorum: tuple[int, int] = (2, 3),
    *,
    by: Callable[[Any], Hashable] = lambda answer: answer,
    weights: Mapping[str, int] | None = None,
) -> Agreement:
    """What `answers` of agents in `roster` say together.

    - `by`: what is compared of an answer; itself, if not given, and then it is hashable
    - `weights`: whole numbers, 1 where an agent has none; the quorum is then a share of all weights

    It does not depend on the order of the answers. Raises ValueError for two answers of one agent (a `Round` keeps the
    first), for who is not in the roster, and for weights that are not whole numbers or are all 0.
    """
    said: dict[str, Any] = {}
    for agent, answer in answers:
        if agent in said:
            raise ValueError(f"{agent!r} answers twice; let a Round say which answer counts")
        said[agent] = answer
    strangers = [agent for agent in (*said, *(weights or {})) if agent not in roster]
    if strangers:
        raise ValueError(f"{strangers[0]!r} is not in the roster {tuple(roster)!r}")
    weigh = {agent: (weights or {}).get(agent, 1) for agent in roster}
    for agent, weight in weigh.items():
        if type(weight) is not int or weight < 0:
            raise ValueError(f"weights: expected whole numbers, 0 or more, got {weight!r} for {agent}")
    if roster and not any(weigh.values()):
        raise ValueError("weights: all of them are 0, so nobody says anything")
    groups: dict[Hashable, list[str]] = {}
    for agent in roster:
        if agent in said:
            groups.setdefault(by(said[agent]), []).append(agent)
    silent = tuple(agent for agent in roster if agent not in said)
    if not said:
        return Agreement(Label.LOW, None, (), (), silent)
    most = max(sum(weigh[a] for a in group) for group in groups.values())
    best = [group for group in groups.values() if sum(weigh[a] for a in group) == most]
    behind = tuple(best[0])
    against = tuple(agent for agent in roster if agent in said and agent not in behind)
    label = _label(most, sum(weigh.values()), quorum, tie=len(best) > 1, against=bool(against), silent=bool(silent))
    return Agreement(label, said[behind[0]], behind, against, silent)


def _label(most: int, whole: int, quorum: tuple[int, int], *, tie: bool, against: bool, silent: bool) -> Label:
    if tie:
        return Label.TIE
    if most < needed(whole, quorum):
        return Label.LOW
    if against:
        return Label.MEDIUM
    return Label.QUIET if silent else Label.HIGH


class Weight(Enum):
    """How much hangs on a question."""

    MINOR = "minor"
    IMPORTANT = "important"
    CRITICAL = "critical"


class Fix(Enum):
    """What can be done about it without a person."""

    AUTOMATIC = "automatic"
    SUGGESTED = "suggested"
    HUMAN = "human"


def settled_by(agreement: Agreement, weight: Weight, fix: Fix) -> Who:
    """Whether a question settles itself, or a person has to: it settles itself if everybody agrees on something minor that
    can be done or suggested, or on something important that can be done; or if the quorum agrees on something minor that can be
    done. All else goes to a person; nothing critical settles itself."""
    if agreement.label is Label.HIGH:
        minor = weight is Weight.MINOR and fix is not Fix.HUMAN
        important = weight is Weight.IMPORTANT and fix is Fix.AUTOMATIC
        return Who.NOBODY if minor or important else Who.PERSON
    if agreement.label in (Label.MEDIUM, Label.QUIET) and (weight, fix) == (Weight.MINOR, Fix.AUTOMATIC):
        return Who.NOBODY
    return Who.PERSON


def lacking(record: Mapping[str, Any], keys: Iterable[str]) -> tuple[str, ...]:
    """The keys that an aggregator's record must have and has not, or has with nothing in it."""
    return tuple(key for key in keys if record.get(key) in (None, "", [], {}, ()))
