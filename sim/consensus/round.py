"""A round: the same question to several agents, at most one answer of each counts, and late and doubled ones are told.

`Round` is a value. Every method returns the round that follows and what became of the input; nothing is changed in place, so
a round can be journalled whole (`as_value`, `from_value`) and a checked model can hold one as a field.

**The first usable answer counts**, whatever attempt it answers: an agent that was asked again because it was slow has often
answered the first time, and that answer was paid for. What is unusable (empty, unreadable) or failed ends its own attempt and
leaves the place open.

    >>> round_ = Round("run-a", (1,), ("ann", "bob"), quorum=(2, 3))
    >>> round_, attempt = round_.asked("ann")
    >>> round_, _ = round_.asked("ann")  # it was slow, and is asked a second time
    >>> round_, taken = round_.take("run-a", (1,), "ann", attempt, "ok")  # the first answer comes after all
    >>> print(taken)
    counted: the first usable answer of its agent
    >>> print(round_.take("run-a", (1,), "ann", 2, "ok")[1])
    duplicate: its agent has answered already
    >>> round_.missing
    ('bob',)
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, Final, TypeAlias

from sim.consensus.retry import Failure
from sim.consensus.sequence import Key, check_int, check_key, check_text

ATTEMPTS_MAX: Final = 1_000


class Taken(Enum):
    """What became of an answer; the values are the sentences users read. All but COUNTED and UNUSABLE change nothing."""

    COUNTED = "the first usable answer of its agent"
    UNUSABLE = "it cannot be used; its attempt is over, and the place is open"
    UNKNOWN = "nobody of this name was asked, or not for this attempt"
    STALE = "it belongs to another run or another round"
    LATE = "the round is decided already"
    DUPLICATE = "its agent has answered already"
    ENDED = "its attempt was over before"

    def __str__(self) -> str:
        return f"{self.name.lower()}: {self.value}"


@dataclass(frozen=True, slots=True)
class _Place:
    """What is known of one agent: how often it was asked, the attempts that are over, its answer, whether it is still waited
    for."""

    asked: int = 0
    over: tuple[int, ...] = ()
    answer: Any = None
    has_answered: bool = False
    given_up: bool = False


RoundValue: TypeAlias = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Round:
    """A question of run `run` at `key` (as in a `ConsensusSequence`), asked of the agents in `roster`.

    `quorum` is the share of the roster that has to agree, as two integers; whoever decides uses it. Raises TypeError or
    ValueError, naming the field, for whatever does not make a round.
    """

    run: str
    key: Key
    roster: tuple[str, ...]
    quorum: tuple[int, int] = (2, 3)
    places: tuple[_Place, ...] = ()
    decided: bool = False

    def __post_init__(self) -> None:
        check_text("run", self.run)
        check_key(self.key)
        if type(self.roster) is not tuple or not self.roster:
            raise TypeError(f"roster: expected a tuple of names, got {self.roster!r}")
        for name in self.roster:
            check_text("each name in roster", name)
        if len(set(self.roster)) < len(self.roster):
            raise ValueError(f"roster: expected each name once, got {self.roster!r}")
        check_quorum(self.quorum)
        if not self.places:
            object.__setattr__(self, "places", (_Place(),) * len(self.roster))

    # --- asking -------------------------------------------------------------------------------------

    def asked(self, agent: str) -> tuple[Round, int]:
        """`agent` is asked, once more: the number of this attempt, from 1. Raises KeyError for who is not in the roster,
        ValueError if the round is decided or the agent has answered."""
        place = self._place(agent)
        if self.decided or place.has_answered:
            why = "the round is decided" if self.decided else f"{agent} has answered"
            raise ValueError(f"{why}: there is nothing to ask")
        if place.asked >= ATTEMPTS_MAX:
            raise ValueError(f"{agent} was asked {ATTEMPTS_MAX} times; give it up")
        return self._with(agent, replace(place, asked=place.asked + 1, given_up=False)), place.asked + 1

    def attempts(self, agent: str) -> int:
        """How often an agent was asked."""
        return self._place(agent).asked

    # --- answers ------------------------------------------------------------------------------------

    def take(
        self, run: str, key: Key, agent: str, attempt: int, answer: Any, *, usable: bool = True
    ) -> tuple[Round, Taken]:
        """An answer arrives, to whichever attempt; `answer` is hashable. With `usable` false only its attempt is over."""
        wrong = self._misses(run, key, agent, attempt)
        if wrong is not None:
            return self, wrong
        place = self._place(agent)
        if not usable:
            return (self, Taken.ENDED) if attempt in place.over else (self._over(agent, attempt), Taken.UNUSABLE)
        frozenset((answer,))  # raises TypeError for what is not hashable
        return self._with(agent, replace(place, answer=answer, has_answered=True, given_up=False)), Taken.COUNTED

    def failed(self, agent: str, attempt: int, failure: Failure) -> tuple[Round, Taken]:
        """An attempt has failed, for what a retry policy is asked about: its attempt is over, and the place is open."""
        if not isinstance(failure, Failure):
            raise TypeError(f"failure: expected a Failure, got {failure!r}")
        return self.take(self.run, self.key, agent, attempt, None, usable=False)

    def give_up(self, agent: str) -> Round:
        """`agent` is no longer waited for. An answer that comes all the same counts, as long as nothing is decided."""
        return self._with(agent, replace(self._place(agent), given_up=True))

    def _misses(self, run: str, key: Key, agent: str, attempt: int) -> Taken | None:
        """Why an answer is not one to this round; None if it is."""
        if (run, key) != (self.run, self.key):
            return Taken.STALE
        if agent not in self.roster or type(attempt) is not int or not 1 <= attempt <= self._place(agent).asked:
            return Taken.UNKNOWN
        if self._place(agent).has_answered:
            return Taken.DUPLICATE
        return Taken.LATE if self.decided else None

    # --- deciding -----------------------------------------------------------------------------------

    @property
    def answers(self) -> tuple[tuple[str, Any], ...]:
        """The answers that count, as (agent, answer), in the order of the roster."""
        pairs = zip(self.roster, self.places, strict=True)
        return tuple((agent, place.answer) for agent, place in pairs if place.has_answered)

    @property
    def missing(self) -> tuple[str, ...]:
        """Those who are waited for, or are still to be asked."""
        pairs = zip(self.roster, self.places, strict=True)
        return tuple(agent for agent, place in pairs if not place.has_answered and not place.given_up)

    @property
    def complete(self) -> bool:
        """Whether nobody is waited for any longer."""
        return not self.missing

    def waiting_for(self, agent: str) -> bool:
        """Whether an attempt of this agent is on its way: asked, and neither answered nor over."""
        place = self._place(agent)
        return not place.has_answered and len(place.over) < place.asked

    def decide(self) -> tuple[Round, tuple[tuple[str, Any], ...]]:
        """Close the round: the answers it is decided by; what comes from here on is late. Raises ValueError if it was
        decided before."""
        if self.decided:
            raise ValueError("the round was decided before; a decision is taken once")
        return replace(self, decided=True), self.answers

    # --- values -------------------------------------------------------------------------------------

    def as_value(self) -> RoundValue:
        """The whole round as nested tuples, fit for a journal."""
        places = tuple((p.asked, p.over, p.answer, p.has_answered, p.given_up) for p in self.places)
        return (self.run, self.key, self.roster, self.quorum, places, self.decided)

    @classmethod
    def from_value(cls, value: RoundValue) -> Round:
        """The round that `as_value` gave `value`. Raises TypeError or ValueError for a value that no round has."""
        if type(value) is not tuple or len(value) != 6:
            raise TypeError(f"expected (run, key, roster, quorum, places, decided), got {value!r}")
        run, key, roster, quorum, given, decided = value
        if type(given) is not tuple or len(given) != len(roster) or type(decided) is not bool:
            raise ValueError(f"no round ever has the value {value!r}")
        places = tuple(_place_of(one) for one in given)
        return cls(run, key, roster, quorum, places, decided)

    def _place(self, agent: str) -> _Place:
        if agent not in self.roster:
            raise KeyError(f"{agent!r} is not in the roster {self.roster!r}")
        return self.places[self.roster.index(agent)]

    def _over(self, agent: str, attempt: int) -> Round:
        place = self._place(agent)
        return self._with(agent, replace(place, over=tuple(sorted((*place.over, attempt)))))

    def _with(self, agent: str, place: _Place) -> Round:
        at = self.roster.index(agent)
        return replace(self, places=(*self.places[:at], place, *self.places[at + 1 :]))


def _place_of(value: Any) -> _Place:
    if type(value) is not tuple or len(value) != 5:
        raise TypeError(f"expected (asked, over, answer, has_answered, given_up), got {value!r}")
    place = _Place(*value)
    check_int("asked", place.asked, 0)
    flags = type(place.has_answered) is bool and type(place.given_up) is bool
    attempts = type(place.over) is tuple and all(type(n) is int and 1 <= n <= place.asked for n in place.over)
    if (
        not flags
        or not attempts
        or sorted(set(place.over)) != [*place.over]
        or (place.has_answered and not place.asked)
    ):
        raise ValueError(f"no place in a round ever has the value {value!r}")
    return place


def check_quorum(quorum: object) -> None:
    """Raises TypeError or ValueError for what is not a share."""
    if type(quorum) is not tuple or len(quorum) != 2:
        raise TypeError(f"quorum: expected a pair of integers, such as (2, 3), got {quorum!r}")
    share, of = quorum
    check_int("quorum", share, 1)
    check_int("quorum", of, 1)
    if share > of:
        raise ValueError(f"quorum: expected a share of at most 1, got {share}/{of}")
