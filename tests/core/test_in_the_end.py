"""What holds in the end: hand-made answers on small systems, two naive judges, and both engines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import pytest

from sim import (
    Process,
    System,
    always_eventually,
    check,
    eventually,
    eventually_always,
    fuzz,
    leads_to,
    rests,
)
from sim.system.properties import Property
from tests.in_the_end import Ends, asked, violated_by_fixed_point, violated_by_sets
from tests.reference import Reference, State


def walker(edges: str, may: str = "", owes: dict[str, str] | None = None) -> Process:
    """A process that is `at` a letter: `go:a>b` is a move `go` from a to b, `f:a>b|c` one that chooses. It begins where the
    first edge does; `owes` are the letters that it owes at each."""
    body: dict[str, Any] = {}
    moves: dict[str, dict[str, list[str]]] = {}
    for text in (*edges.split(), *may.split()):
        name, _, way = text.partition(":")
        source, _, dests = way.partition(">")
        moves.setdefault(name, {})[source] = dests.split("|")
    rows = []
    for name, ways in moves.items():
        body[f"can_{name}"] = lambda self, ways=ways: self.at in ways
        body[f"do_{name}"] = lambda self, ways=ways, owes=owes or {}: _go(self, ways, owes)
        rows.append({"trigger": name, "source": "s", "dest": None, "conditions": f"can_{name}", "after": f"do_{name}"})
    begin = (edges or may).split()[0].partition(":")[2][0]
    made: type[Process] = type(
        "Walker",
        (Process,),
        {
            "__module__": __name__,
            "__annotations__": {"at": "str", "debts": "frozenset"},
            "states": ("s",),
            "must": tuple(dict.fromkeys(text.partition(":")[0] for text in edges.split())),
            "may": tuple(dict.fromkeys(text.partition(":")[0] for text in may.split())),
            "transitions": tuple(rows),
            "owes": "debts",
            "at": begin,
            "debts": frozenset((owes or {}).get(begin, "")),
            **body,
        },
    )
    return made()


def _go(self: Any, ways: dict[str, list[str]], owes: dict[str, str]) -> None:
    self.at = self.choose(*ways[self.at])
    self.debts = frozenset(owes.get(self.at, ""))


class Case(NamedTuple):
    """A system, and what is ok and violated of it: `F b`, `GF ab`, `FG c`, `a->b`, `rests`, `owes`; of process p, or `q.F y`
    of q. Some letters hold where the process is at one of them."""

    title: str
    system: System
    ok: str
    violated: str


def one(edges: str, may: str = "", owes: dict[str, str] | None = None, **more: Any) -> System:
    return System({"p": walker(edges, may, owes)}, **more)


def two(edges: str, other: str, may: str = "", owes: dict[str, str] | None = None, **more: Any) -> System:
    return System({"p": walker(edges), "q": walker(other, may, owes)}, **more)


ROUND = "go:a>b go:b>a"
WAY_OUT = f"{ROUND} out:b>c"
LOOPS = "n:a>b n:b>a f:b>c n:c>d n:d>b"
COIN = "f:a>b|c go:b>a"
CASES = (
    Case("a round of two", one(ROUND), "F b, GF a, GF b, a->b, FG ab", "rests, FG a, F c, a->c, GF c"),
    Case("one step", one("go:a>b"), "rests, F b, GF b, FG b, a->b", "GF a, FG a, b->a"),
    Case("a way out all round", one(f"{ROUND} out:a>c out:b>c"), "F c, rests, FG c, GF c, a->c", "GF a"),
    Case("a way out at one place", one(WAY_OUT), "F b, a->b", "F c, rests, a->c, GF c"),
    Case("that way out, taken in the end", one(WAY_OUT, fair=("p.out",)), "F c, rests, FG c, a->c", "GF b"),
    Case("fair to what goes round anyway", one(WAY_OUT, fair=("p.go",)), "F b", "F c, rests"),
    Case("a way out that nobody owes", one(ROUND, "out:a>c out:b>c"), "GF abc", "F c, rests, GF a"),
    Case("a round that nobody owes", one("", "go:a>b go:b>a"), "rests, F a", "F b, FG a, GF a, GF b"),
    Case("an outcome that changes nothing", one("f:a>a|b"), "F b, rests, GF b", "GF a"),
    Case("a coin that may always fall so", one(COIN), "F bc, GF ac", "F c, rests, FG c, a->c"),
    Case("a fair coin", one(COIN, fair_choices=True), "F c, rests, FG c, a->c", "GF a, F b"),
    Case("a coin for ever", one(f"{COIN} go:c>a"), "GF a, GF bc", "GF c, GF b, rests"),
    Case("a fair coin for ever", one(f"{COIN} go:c>a", fair_choices=True), "GF b, GF c, b->c", "FG a, FG b, rests"),
    Case("behind a coin", one("f:a>b|c x:b>a y:c>d"), "F bc", "F d, rests"),
    Case("behind a fair coin", one("f:a>b|c x:b>a y:c>d", fair_choices=True), "F d, rests, c->d", "F b"),
    Case("two coins", one("f:a>b|c g:b>a|d h:c>a"), "GF ad", "F d, F c, F b"),
    Case("two fair coins", one("f:a>b|c g:b>a|d h:c>a", fair_choices=True), "F d, rests, FG d", "F c"),
    Case("a fair coin left alone", one(f"{ROUND} f:a>c|d", fair_choices=True), "F bcd", "F cd, rests"),
    Case(
        "a fair coin, taken in the end",
        one(f"{ROUND} f:a>c|d", fair_choices=True, fair=("p.f",)),
        "F cd, rests",
        "F c, F d",
    ),
    Case("another goes round", two(ROUND, "run:x>y"), "q.F y, q.FG y, q.x->y, GF a", "rests, q.GF x"),
    Case("another goes round, nobody owes", two(ROUND, "", "run:x>y"), "q.F x", "q.F y, q.FG y, q.FG x"),
    Case("two go round", two(ROUND, "go:x>y go:y>x"), "GF a, q.GF x, q.GF y", "rests, FG a, q.FG y"),
    Case("a round of three", one("go:a>b go:b>c go:c>a out:a>d"), "F bd, F cd, b->a", "F b, F d, rests, FG d"),
    Case("moves of other names", one("go:a>b back:b>a out:a>c out:b>c"), "F c, rests", "GF a, F b"),
    Case("an inner and an outer round", one(LOOPS), "F b, GF b", "GF c, F c, rests, FG ab"),
    Case("the outer one as well", one(LOOPS, fair=("p.f",)), "GF c, F c, c->b, F d", "FG b, rests, GF a"),
    Case("a detour that is owed", one("n:a>b n:b>a f:a>c f:b>c k:c>a"), "GF c, F c, c->a, a->c", "FG ab, GF b, rests"),
    Case("into a round", one("s:a>b t:b>c t:c>b"), "a->c, c->b, FG bc, F c", "b->a, GF a, FG b, rests"),
    Case("what never begins", one("go:a>b"), "c->d, c->a, F b", "GF c, a->c"),
    Case("at once", one("go:a>b"), "a->a, b->b, a->ab", "b->a"),
    Case("a round from the second on", one("go:a>b go:b>c go:c>b"), "FG bc, a->b, b->c, F c", "FG b, GF a, rests"),
    Case("rest or round", one("f:a>b|c go:b>a"), "F bc, GF ac, b->a", "FG c, rests, FG a"),
    Case("three outcomes", one("f:a>b|c|d x:b>a x:c>a"), "F bcd", "F d, GF b, GF c"),
    Case("three fair outcomes", one("f:a>b|c|d x:b>a x:c>a", fair_choices=True), "F d, rests, FG d", "F b, F c"),
    Case("a coin at two places", one("f:a>b|c f:b>a|c"), "F bc", "F c, rests"),
    Case("a fair coin at two places", one("f:a>b|c f:b>a|c", fair_choices=True), "F c, rests", "F b"),
    Case("two ways out", one("x:a>b y:b>a z:a>c w:b>d"), "F bc", "F cd, rests, F c"),
    Case("one of them fair", one("x:a>b y:b>a z:a>c w:b>d", fair=("p.z",)), "F cd, rests", "F c, F d"),
    Case("the other fair", one("x:a>b y:b>a z:a>c w:b>d", fair=("p.w",)), "F cd, rests", "F c, F d"),
    Case("fair, but not there", one("x:a>b y:b>c u:c>b z:a>d", fair=("p.z",)), "F bd", "F d, rests"),
    Case("out of reach", one("go:a>b up:c>d"), "F b, rests, FG b", "GF c, a->d"),
    Case("owed and done, again and again", one(ROUND, owes={"b": "k"}), "owes, GF a", "rests"),
    Case("owed all round", one(ROUND, owes={"a": "k", "b": "k"}), "GF a", "owes"),
    Case("owed while others come and go", one(ROUND, owes={"a": "k", "b": "kl"}), "GF b", "owes"),
    Case("one after the other", one(ROUND, owes={"a": "k", "b": "l"}), "owes, GF a", "rests"),
    Case("owed until it leaves", one(f"{ROUND} out:a>c out:b>c", owes={"a": "k", "b": "k"}), "owes, F c", "F b"),
    Case("owed, and it need not leave", one(WAY_OUT, owes={"a": "k", "b": "k"}), "F b", "owes, F c"),
    Case("owed, and it leaves", one(WAY_OUT, owes={"a": "k", "b": "k"}, fair=("p.out",)), "owes, F c", "GF a"),
    Case("owed at rest", one("go:a>b", owes={"b": "k"}), "F b, rests", "owes"),
    Case("another owes it", two(ROUND, "run:x>y", owes={"x": "k"}), "owes, q.F y", "rests"),
    Case("another may do it", two(ROUND, "", "run:x>y", {"x": "k"}), "GF a", "owes, q.F y"),
    Case("owed until the coin falls", one("f:a>b|c g:b>a", owes={"a": "k", "b": "k"}), "F bc", "owes, F c"),
    Case(
        "owed until the fair coin falls",
        one("f:a>b|c g:b>a", owes={"a": "k", "b": "k"}, fair_choices=True),
        "owes, F c",
        "F b",
    ),
    Case("a coin for two debts", one("f:a>b|c x:b>a y:c>a", owes={"b": "k", "c": "l"}), "owes", "rests, GF b"),
)


class Question(NamedTuple):
    process: str
    kind: str
    premise: str
    goal: str

    def holds(self, system: System, letters: str) -> Callable[[State], bool]:
        index = [*system.processes].index(self.process)
        return lambda state: state.locals[index].fields[0] in letters


_KINDS = {"F": "eventually", "GF": "always_eventually", "FG": "eventually_always"}
_MAKE = {"eventually": eventually, "always_eventually": always_eventually, "eventually_always": eventually_always}


def read(text: str) -> Question:
    process, dot, rest = text.partition(".")
    process, rest = (process, rest) if dot else ("p", text)
    if rest in ("rests", "owes"):
        return Question(process, rest, "", "")
    premise, arrow, goal = rest.partition("->")
    if arrow:
        return Question(process, "leads_to", premise, goal)
    kind, goal = rest.split()
    return Question(process, _KINDS[kind], "", goal)


def as_property(text: str) -> Property | None:
    """As a user declares it; `owes` needs nothing."""
    question = read(text)
    reads = (question.process,)
    if question.kind == "owes":
        return None
    if question.kind == "rests":
        return rests(text)
    if question.kind == "leads_to":
        return leads_to(text, lambda p: p.at in question.premise, lambda p: p.at in question.goal, reads=reads)
    return _MAKE[question.kind](text, lambda p: p.at in question.goal, reads=reads)


def asking(system: System, text: str) -> System:
    """The system with this property, and without what else could be violated of it."""
    prop = as_property(text)
    if prop is None:
        return system
    return system.with_(properties=(prop,)).judging(prop.name)


def questions(case: Case) -> list[tuple[str, bool]]:
    return [
        (text.strip(), text in case.violated.split(",")) for text in (*case.ok.split(","), *case.violated.split(","))
    ]


def naive_answers(system: System, text: str, ends: Ends, sets: Sequence[Any]) -> tuple[bool, bool]:
    """What the two naive judges say: whether it is violated."""
    question = read(text)
    if question.kind == "owes":
        debts = ends.debts().values()
        at_rest = any(s in states for states in debts for s in ends.resting)
        by_sets = any(some <= states for states in debts for some in sets)
        return at_rest or by_sets, at_rest or any(ends.fair_from(states) for states in debts)
    holds, premise = question.holds(system, question.goal), question.holds(system, question.premise)
    found = asked(ends, question.kind, holds, premise)
    return violated_by_sets(ends, found, [*sets]), violated_by_fixed_point(ends, found)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_hand_made_answers_the_naive_judges_and_both_engines_agree(case: Case) -> None:
    explored = Reference(case.system).explore()
    assert explored is not None
    ends = Ends(case.system, explored)
    sets = [*ends.sets()]
    is_weak = case.system.fairness.is_weak
    for text, violated in questions(case):
        by_sets, by_fixed_point = naive_answers(case.system, text, ends, sets)
        assert by_sets is violated, f"by sets: {text}"
        assert not is_weak or by_fixed_point is violated, f"by fixed points: {text}"
        system = asking(case.system, text)
        plain, compiled = check(system, engine="plain"), check(system, engine="compiled")
        assert (plain.verdict == "violated") is violated, f"plain: {text}"
        assert (plain.finding, plain.path and [a.code for a in plain.path]) == (
            compiled.finding,
            compiled.path and [a.code for a in compiled.path],
        ), text
        assert (plain.rests, plain.cycles) == (compiled.rests, compiled.cycles), text


def test_there_are_more_than_forty_of_them() -> None:
    assert len({case.title for case in CASES}) == len(CASES) > 40


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_what_a_check_finds_in_the_end_a_fuzz_finds_and_what_it_proves_no_fuzz_finds(case: Case) -> None:
    for text, violated in questions(case):
        system = asking(case.system, text)
        found = fuzz(system, schedules=60, engine="plain", max_steps=200)
        assert bool(found.found) is violated, text
        names = {one.counterexample.property for one in found.found}
        assert names <= {"stuck" if read(text).kind == "owes" else text}
