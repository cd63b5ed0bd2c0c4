"""The exhaustive check: what it counts, where it stops, what it says it has shown."""

from __future__ import annotations

from typing import Any

import pytest

from sim import (
    DEFER,
    Counted,
    Emission,
    Graph,
    Message,
    ModelError,
    Monitor,
    Process,
    Replay,
    System,
    Uniform,
    View,
    always,
    check,
    eventually,
    simulate,
    sometimes,
    within,
)
from tests.walk import schedule


class Go(Message):
    n: int = 0


class Noted(Emission):
    n: int = 0


class Counter(Process):
    """Counts to `limit`, one spontaneous move at a time."""

    states = ("low", "high")
    must = ("up",)
    transitions = ({"trigger": "up", "source": "low", "dest": None, "conditions": "is_low", "after": "count"},)
    limit: int = 3
    n: int = 0

    def is_low(self) -> bool:
        return self.n < self.limit

    def count(self) -> None:
        self.n += 1


def counter(*properties: Any, **options: Any) -> System:
    return System({"c": Counter(limit=options.pop("limit", 3))}, properties=properties, **options)


def test_depth_counts_levels_and_the_initial_state_is_at_one() -> None:
    result = check(counter())
    assert (result.states, result.generated, result.depth) == (4, 4, 4)
    assert check(counter(limit=0)).depth == 1


class Loop(Process):
    states = ("one",)
    may = ("again",)
    transitions = ({"trigger": "again", "source": "one", "dest": None},)


def test_generated_counts_initial_states_and_actions_self_loops_included() -> None:
    result = check(System({"p": Loop()}))
    assert (result.states, result.generated, result.depth) == (1, 2, 1)


class Chooser(Process):
    states = ("one",)
    mood: int = 0
    note: int = 0

    def on_start(self) -> None:
        self.mood = self.choose(1, 2, 3)


def test_several_initial_states_come_of_choices_at_the_start() -> None:
    result = check(System({"p": Chooser(), "q": Chooser()}))
    assert (result.states, result.generated, result.depth) == (9, 9, 1)


class Undecided(Chooser):
    """Two ways to begin, one state."""

    def on_start(self) -> None:
        self.choose("left", "right")


def test_two_ways_to_begin_that_come_to_one_state_are_one_initial_state() -> None:
    result = check(System({"p": Undecided()}))
    assert (result.states, result.generated) == (1, 1)


# --- findings ---------------------------------------------------------------------------------------------


def test_always_is_violated_by_the_first_state_that_breaks_it_on_a_shortest_path() -> None:
    result = check(counter(always("below two", lambda c: c.n < 2)))
    assert result.verdict == "violated"
    assert result.finding is not None
    assert result.finding.property == "below two"
    assert schedule(result.path) == ["move c.up"] * 2
    assert result.proved == []


def test_always_is_judged_in_initial_states_too() -> None:
    result = check(counter(always("never zero", lambda c: c.n)))
    assert (result.verdict, result.path) == ("violated", [])


def test_sometimes_that_never_holds_is_a_finding_once_everything_was_seen() -> None:
    result = check(counter(sometimes("ten", lambda c: c.n == 10), sometimes("two", lambda c: c.n == 2)))
    assert result.finding is not None
    assert result.finding.property == "ten"
    assert check(counter(sometimes("two", lambda c: c.n == 2))).verdict == "ok"


def test_its_counterexample_replays_from_the_choice_it_began_with() -> None:
    system = System({"p": Chooser()}, properties=[always("calm", lambda p: p.mood < 3)])
    least = check(system).counterexample
    assert least is not None
    assert (least.schedule, least.steps, least.complete) == (("start choosing 3",), 0, True)
    assert simulate(system, Replay(least.schedule)).finding == least.finding


def test_a_sometimes_that_never_holds_has_no_counterexample() -> None:
    result = check(counter(sometimes("ten", lambda c: c.n == 10)))
    assert result.finding is not None
    assert result.counterexample is None
    assert check(counter()).counterexample is None


def test_what_was_proved_is_said_by_name() -> None:
    props = (always("a", lambda c: True), sometimes("b", lambda c: True), eventually("d", lambda c: c.n == 3))
    result = check(counter(*props))
    assert result.proved[:3] == ["always a", "sometimes b", "eventually d"]
    assert "never stuck" in result.proved


class Owing(Counter):
    hot = ("low",)


class Paying(Counter):
    hot = ("low",)
    transitions = ({"trigger": "up", "source": "low", "dest": "high"},)


def test_rest_in_a_hot_state_is_stuck_and_elsewhere_it_is_not() -> None:
    result = check(System({"c": Owing(limit=1)}))
    assert result.finding is not None
    assert (result.finding.property, schedule(result.path)) == ("stuck", ["move c.up"])
    assert check(System({"c": Paying()})).verdict == "ok"


def test_a_system_may_be_judged_by_some_of_its_properties() -> None:
    """What else is violated does not end a run; being stuck is a property of that kind, an exception is not."""
    system = System({"c": Owing(limit=1)}, properties=(always("zero", lambda c: c.n == 0), sometimes("one", one)))
    for names, violated in (((), "zero"), (("zero",), "zero"), (("stuck",), "stuck"), (("stuck", "one"), "stuck")):
        result = check(system.judging(*names) if names else system)
        assert result.finding is not None
        assert result.finding.property == violated
    sound = check(system.judging("one"))
    assert (sound.verdict, sound.states) == ("ok", 2)
    assert sound.proved == ["sometimes one", "no unhandled input", "no exception in a handler"]
    assert check(system.judging("one"), engine="compiled").verdict == "ok"
    assert simulate(system.judging("one"), Uniform(0)).finding is None
    with pytest.raises(ModelError, match="unknown property 'on' \\(did you mean 'one'\\?\\): use zero, one, stuck"):
        system.judging("on")
    with pytest.raises(ModelError, match="name one"):
        system.judging()


def test_the_monitors_that_a_judged_property_reads_are_kept() -> None:
    class Watching(Monitor):
        states = ("watching",)
        transitions = ({"trigger": Counted, "source": "watching", "dest": None},)

    watched = always("watched", lambda seen: seen.state == "watching")
    system = System({"c": Paying()}, properties=(watched,), monitors={"seen": Watching(), "other": Watching()})
    assert [*system.judging("watched").monitors] == ["seen"]
    assert [*system.judging("stuck").monitors] == []


def one(c: View) -> bool:
    return bool(c.n == 1)


def test_what_only_may_happen_does_not_save_a_process_from_being_stuck() -> None:
    class Hoping(Paying):
        must = ()
        may = ("up",)

    result = check(System({"c": Hoping()}))
    assert result.finding is not None
    assert (result.finding.property, result.path) == ("stuck", [])


def test_a_process_that_is_down_is_not_stuck_but_owes_its_restart() -> None:
    class Fragile(Paying):
        durable = ("n",)

    result = check(System({"c": Fragile()}, faults="crash:1"))
    assert result.verdict == "ok"


class Waiting(Process):
    states = ("idle", "busy")
    hot = ("busy",)
    transitions = (
        {"trigger": Go, "source": "idle", "dest": DEFER, "conditions": "second"},
        {"trigger": Go, "source": "idle", "dest": "busy"},
        {"trigger": Go, "source": "busy", "dest": DEFER},
    )

    def second(self, go: Go) -> bool:
        return go.n > 0

    def on_start(self) -> None:
        self.send(self.name, Go())


def test_a_deferred_message_in_flight_is_still_rest() -> None:
    result = check(System({"w": Waiting()}))
    assert result.finding is not None
    assert (result.finding.property, schedule(result.path)) == ("stuck", ["deliver w->w Go(n=0)"])


class Racer(Process):
    """After `steps` moves it is stuck; at the next move it breaks, if it may."""

    states = ("run", "stop")
    hot = ("stop",)
    may = ("stumble",)
    must = ("walk",)
    transitions = (
        {"trigger": "walk", "source": "run", "dest": "stop"},
        {"trigger": "stumble", "source": ["run", "stop"], "dest": None, "after": "fall"},
    )

    def fall(self) -> None:
        if self.state == "stop":
            raise RuntimeError("fell")


def test_of_two_findings_the_one_with_the_shorter_schedule_is_reported() -> None:
    """Stuck after one step, an exception after two: both are met while the second level is expanded."""
    result = check(System({"r": Racer()}))
    assert result.finding is not None
    assert (result.finding.property, schedule(result.path)) == ("stuck", ["move r.walk"])


class Broken(Process):
    states = ("idle",)
    transitions = ({"trigger": Go, "source": "idle", "dest": None, "after": "divide"},)

    def on_start(self) -> None:
        self.send(self.name, Go(2))
        self.send(self.name, Go(0))

    def divide(self, go: Go) -> None:
        assert 4 // go.n


def test_an_exception_in_a_handler_is_a_finding_that_says_where_without_a_path() -> None:
    result = check(System({"b": Broken()}))
    assert result.finding is not None
    assert result.finding.property == "exception"
    assert "b in state idle: ZeroDivisionError" in result.finding.message
    assert "(test_check.py:" in result.finding.message
    assert "in divide)" in result.finding.message
    assert "/" not in result.finding.message.replace("//", "")
    assert schedule(result.path) == ["deliver b->b Go(n=0)"]


def test_an_exception_at_the_start_is_a_finding_with_an_empty_schedule() -> None:
    class Stillborn(Loop):
        def on_start(self) -> None:
            raise RuntimeError("no")

    result = check(System({"p": Stillborn()}))
    assert result.finding is not None
    assert (result.finding.property, result.path) == ("exception", [])


def test_an_unhandled_input_is_found_on_the_shortest_of_all_schedules() -> None:
    class Picky(Process):
        states = ("a", "b", "c")
        must = ("step",)
        transitions = (
            {"trigger": "step", "source": "a", "dest": "b"},
            {"trigger": "step", "source": "b", "dest": "c"},
            {"trigger": Go, "source": ["a", "b"], "dest": None},
        )

        def on_start(self) -> None:
            self.send(self.name, Go())

    result = check(System({"p": Picky()}))
    assert result.finding == ("unhandled", "unhandled Go in state c of p: Go(n=0)")
    assert schedule(result.path) == ["move p.step", "move p.step", "deliver p->p Go(n=0)"]


def test_an_unhandled_timer_is_a_finding() -> None:
    class Alarm(Process):
        states = ("a", "b")
        timers = ("t",)
        transitions = ({"trigger": "t", "source": "b", "dest": "a"},)

        def on_start(self) -> None:
            self.arm("t", 5)

    assert check(System({"p": Alarm()})).finding == ("unhandled", "unhandled timer t in state a of p")


def test_a_predicate_that_breaks_is_an_error_that_names_the_property() -> None:
    with pytest.raises(ModelError, match="always typo cannot be evaluated: AttributeError: unknown field 'm'"):
        check(counter(always("typo", lambda c: c.m == 1)))

    def ends(c: Any) -> bool:
        raise SystemExit(c.n + 3)

    with pytest.raises(ModelError, match="always ends cannot be evaluated: SystemExit: 3"):
        check(counter(always("ends", ends)))


def test_a_predicate_gets_what_it_reads_in_that_order_and_nothing_else() -> None:
    got: list[tuple[Any, ...]] = []

    def both(*views: Any) -> bool:
        got.append(tuple(view.limit for view in views))
        return True

    check(System({"a": Counter(limit=1), "b": Counter(limit=2)}, properties=(always("both", both, reads=("b", "a")),)))
    assert set(got) == {(2, 1)}
    assert len(got) == 6  # once for each distinct combination: (0, 1) x (0, 1, 2)


# --- monitors ---------------------------------------------------------------------------------------------


class Speaker(Counter):
    def count(self) -> None:
        self.n += 1
        self.emit(Noted(self.n))


class AtMostTwo(Monitor):
    states = ("fine",)
    transitions = ({"trigger": Noted, "source": "fine", "dest": None, "after": "look"},)

    def look(self, noted: Noted) -> None:
        if noted.n > 2:
            self.violate(f"{noted.n} is too much")


class Expecting(Monitor):
    states = ("waiting", "content")
    hot = ("waiting",)
    transitions = (
        {"trigger": Noted, "source": "waiting", "dest": "content", "conditions": "enough"},
        {"trigger": Noted, "source": "waiting", "dest": None},
    )

    def enough(self, noted: Noted) -> bool:
        return noted.n >= 2


@pytest.mark.parametrize(
    ("monitor", "limit", "message", "steps"),
    [
        (AtMostTwo(), 2, None, 0),
        (AtMostTwo(), 3, "3 is too much", 3),
        (Expecting(), 2, None, 0),
        (Expecting(), 1, "at the end it still waits", 1),
        (Expecting(), 3, "unhandled Noted in state content of m", 3),
    ],
)
def test_a_monitor_is_violated_when_it_says_so_when_it_still_waits_and_when_it_is_surprised(
    monitor: Monitor, limit: int, message: str | None, steps: int
) -> None:
    result = check(System({"c": Speaker(limit=limit)}, monitors={"m": monitor}))
    assert result.verdict == ("violated" if message else "ok")
    assert len(result.path) == steps
    if message:
        assert result.finding is not None
        assert message in result.finding.message
        assert result.finding.property == ("unhandled" if "unhandled" in message else "m")


def test_a_monitor_does_not_hear_what_none_of_its_rows_names_and_is_part_of_the_state() -> None:
    class Deaf(Monitor):
        states = ("fine",)

    class Odd(Monitor):
        states = ("even", "odd")
        transitions = (
            {"trigger": Noted, "source": "even", "dest": "odd"},
            {"trigger": Noted, "source": "odd", "dest": "even"},
        )

    class Forgetting(Speaker):
        transitions = ({"trigger": "up", "source": "low", "dest": None, "after": "say"},)

        def say(self) -> None:
            self.emit(Noted())

    assert check(System({"c": Forgetting()}, monitors={"d": Deaf()})).states == 1
    assert check(System({"c": Forgetting()}, monitors={"o": Odd()})).states == 2


# --- bounds -----------------------------------------------------------------------------------------------


def test_within_counts_states_outside_but_does_not_expand_them_and_says_so() -> None:
    bound = within("small", lambda c: c.n < 2)
    result = check(counter(within=bound, limit=10))
    assert (result.states, result.generated, result.depth, result.outside) == (3, 3, 3, 1)
    assert result.complete
    assert check(counter(limit=2)).outside == 0


def test_a_state_outside_of_the_bound_is_judged() -> None:
    result = check(counter(always("below two", lambda c: c.n < 2), within=within("small", lambda c: c.n < 2)))
    assert result.verdict == "violated"


def test_a_state_outside_of_the_bound_is_not_taken_for_rest() -> None:
    bound = within("small", lambda c: c.n < 1)
    assert check(System({"c": Owing(limit=3)}, within=bound)).verdict == "ok"


@pytest.mark.parametrize("bound", [1, 2, 3, 4, 5, 100])
def test_max_states_bounds_the_states_and_says_incomplete_only_if_there_are_more(bound: int) -> None:
    result = check(counter(), max_states=bound)  # it has four
    assert result.states == min(bound, 4)
    assert result.verdict == ("incomplete" if bound < 4 else "ok")
    assert bool(result.proved) is (bound >= 4)
    assert ("states were reached" in result.stopped) is (bound < 4)


def test_a_violation_met_before_the_bound_is_a_violation() -> None:
    assert check(counter(always("zero", lambda c: c.n == 0)), max_states=2).verdict == "violated"


def test_an_incomplete_check_says_nothing_of_sometimes_and_eventually() -> None:
    props = (sometimes("ten", lambda c: c.n == 10), eventually("eleven", lambda c: c.n == 11))
    result = check(counter(*props), max_states=2)
    assert (result.verdict, result.finding, result.proved) == ("incomplete", None, [])


def test_an_interrupt_keeps_what_was_covered() -> None:
    class Interrupted(Counter):
        def count(self) -> None:
            if self.n == 2:
                raise KeyboardInterrupt
            self.n += 1

    result = check(System({"c": Interrupted(limit=5)}))
    assert (result.verdict, result.states, result.stopped) == ("incomplete", 3, "interrupted")
    assert result.handler_calls > 0
    assert result.seconds >= 0
    assert result.proved == []


def test_an_interrupt_while_eventually_is_judged_proves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("sim.checker.components.reach", interrupted)
    result = check(counter(eventually("three", lambda c: c.n == 3)))
    assert (result.verdict, result.proved, result.stopped) == ("incomplete", [], "interrupted")


def test_progress_is_told_at_every_level() -> None:
    seen: list[tuple[int, int]] = []
    check(counter(), progress=lambda result: seen.append((result.depth, result.states)))
    assert seen == [(1, 1), (2, 2), (3, 3), (4, 4)]


# --- independence of the order in which things are met ----------------------------------------------------


def test_handlers_run_once_for_each_distinct_local_value_and_input() -> None:
    result = check(System({f"c{i}": Counter(limit=2) for i in range(6)}))
    assert result.states == 3**6
    # For each process its start, and the move once in each of its three values (refused in the last).
    assert result.handler_calls == 6 * (1 + 3)


def test_a_warmed_up_graph_has_the_same_actions_in_the_same_order() -> None:
    system = System({"b": Broken(), "c": Counter(), "p": Undecided()}, faults="drop:1,duplicate:1,crash:1")
    warm = Graph(system)
    frontier, seen = list(reversed(warm.initial())), set()
    while frontier:  # depth first, last action first: another order than any engine's
        state = frontier.pop()
        if state not in seen:
            seen.add(state)
            frontier += [warm.apply(state, a) for a in warm.actions(state)]
    cold = Graph(system)
    pairs = list(zip(warm.initial(), cold.initial(), strict=True))
    for _ in range(300):
        one, two = pairs.pop(0)
        mine, theirs = warm.actions(one), cold.actions(two)
        assert [a.code for a in mine] == [a.code for a in theirs]
        assert [a.key for a in mine] == [a.key for a in theirs]
        assert [a.record for a in mine] == [a.record for a in theirs]
        assert warm.value(one) == cold.value(two)
        pairs += [(warm.apply(one, a), cold.apply(two, b)) for a, b in zip(mine, theirs, strict=True)][::7]
        if not pairs:
            break
