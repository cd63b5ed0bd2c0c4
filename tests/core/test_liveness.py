"""`eventually`: judged where everything rests, and on fair cycles of progress; nowhere else."""

from __future__ import annotations

from typing import Any

import pytest

from sim import DEFER, IGNORE, Graph, Message, Process, Replay, System, check, eventually, simulate, within
from sim.checker.plain import Limits, PlainWalk
from sim.checker.tours import Fair, Loop, fair_round
from sim.run.lasso import is_round
from sim.world.fairness import WEAK
from tests.walk import schedule

DONE = eventually("done", lambda p: p.state == "done")


class Go(Message):
    pass


class Again(Message):
    pass


class Done(Message):
    pass


def _process(**body: Any) -> Process:
    made: type[Process] = type("P", (Process,), {"__module__": __name__, "__annotations__": {}, **body})
    return made()


def _check(*properties: Any, faults: str = "", network: str = "any", **processes: Process) -> Any:
    return check(System(processes, network=network, properties=properties or (DONE,), faults=faults))


def test_a_run_that_rests_without_it_is_the_shortest_counterexample() -> None:
    lazy = _process(
        states=("idle", "busy", "done"),
        must=("go",),
        transitions=({"trigger": "go", "source": "idle", "dest": "busy"},),
    )
    result = _check(p=lazy)
    assert result.verdict == "violated"
    assert (result.finding.property, schedule(result.path)) == ("done", ["move p.go"])
    assert "rest" in result.finding.message


def test_a_run_that_holds_it_once_may_lose_it_again() -> None:
    rows = (
        {"trigger": "go", "source": "idle", "dest": "done"},
        {"trigger": "go", "source": "done", "dest": "after"},
    )
    assert _check(p=_process(states=("idle", "done", "after"), must=("go",), transitions=rows)).verdict == "ok"


def test_what_the_environment_may_do_is_owed_by_nobody() -> None:
    rows = ({"trigger": "go", "source": "idle", "dest": "done"},)
    assert _check(p=_process(states=("idle", "done"), must=("go",), transitions=rows)).verdict == "ok"
    assert _check(p=_process(states=("idle", "done"), may=("go",), transitions=rows)).verdict == "violated"


CIRCLE = (
    {"trigger": "turn", "source": "a", "dest": "b"},
    {"trigger": "turn", "source": "b", "dest": "a"},
)


def test_a_fair_cycle_that_avoids_it_is_reported_and_is_a_cycle() -> None:
    system = System({"p": _process(states=("a", "b", "done"), must=("turn",), transitions=CIRCLE)}, properties=(DONE,))
    result = check(system)
    assert schedule(result.path) == ["move p.turn", "move p.turn"]
    assert result.finding is not None
    assert "can be repeated forever" in result.finding.message


def test_an_unfair_cycle_is_not_reported() -> None:
    """The way out is enabled all the way round: a scheduler that never takes it is to blame, not the model."""
    way_out = ({"trigger": "leave", "source": ["a", "b"], "dest": "done"},)
    fair = _process(states=("a", "b", "done"), must=("turn", "leave"), transitions=CIRCLE + way_out)
    assert _check(p=fair).verdict == "ok"


def test_a_way_out_that_is_not_enabled_all_the_time_need_not_be_taken() -> None:
    now_and_then = ({"trigger": "leave", "source": "b", "dest": "done"},)
    weak = _process(states=("a", "b", "done"), must=("turn", "leave"), transitions=CIRCLE + now_and_then)
    result = _check(p=weak)
    assert result.verdict == "violated"
    assert schedule(result.path) == ["move p.turn", "move p.turn"]


def test_a_cycle_of_moves_that_are_owed_by_nobody_is_no_cycle_of_progress() -> None:
    idle = _process(
        states=("a", "b", "done"),
        may=("turn",),
        must=("leave",),
        transitions=(*CIRCLE, {"trigger": "leave", "source": ["a", "b"], "dest": "done"}),
    )
    assert _check(p=idle).verdict == "ok"


def test_a_step_that_changes_nothing_is_no_progress() -> None:
    ping = _process(
        states=("a", "done"),
        transitions=({"trigger": Go, "source": "*", "dest": None},),
        on_start=lambda self: self.send("p", Go()),
    )
    result = _check(p=ping, network="set")  # the message is there for ever and changes nothing: this is rest
    assert result.path == []
    assert "rest" in result.finding.message


def test_another_process_that_goes_round_does_not_excuse_what_this_one_owes() -> None:
    circle = _process(states=("a", "b"), must=("turn",), transitions=CIRCLE)
    slow = _process(
        states=("idle", "done"), must=("go",), transitions=({"trigger": "go", "source": "idle", "dest": "done"},)
    )
    assert _check(p=slow, q=circle).verdict == "ok"
    stubborn = _process(
        states=("idle", "done"), may=("go",), transitions=({"trigger": "go", "source": "idle", "dest": "done"},)
    )
    result = _check(p=stubborn, q=circle)
    assert (result.verdict, schedule(result.path)) == ("violated", ["move q.turn", "move q.turn"])


def test_an_outcome_of_a_choice_is_owed_by_nobody() -> None:
    """An agent may answer with a conflict for ever: fairness sees to actions, not to their outcomes."""

    def tick(self: Any) -> None:
        self.tries = 1 - self.tries
        self.settled = self.choose(True, False)
        self.arm("t", 1)

    coin = _process(
        states=("open", "done"),
        timers=("t",),
        transitions=({"trigger": "t", "source": "open", "dest": None, "after": "tick"},),
        tick=tick,
        on_start=lambda self: self.arm("t", 1),
        tries=0,
        settled=False,
        __annotations__={"tries": "int", "settled": "bool"},
    )
    result = _check(eventually("settled", lambda p: p.settled), p=coin)
    assert result.verdict == "violated"
    assert schedule(result.path) == ["fire p.t choosing False"] * 2


def test_a_deferred_message_is_not_enabled_and_so_owed_by_nobody() -> None:
    rows = (*CIRCLE, {"trigger": Go, "source": "*", "dest": DEFER})
    waiting = _process(
        states=("a", "b", "done"), must=("turn",), transitions=rows, on_start=lambda self: self.send("p", Go())
    )
    assert _check(p=waiting).verdict == "violated"


def test_faults_lead_into_a_cycle_but_are_no_part_of_it() -> None:
    rows = (
        {"trigger": Go, "source": "a", "dest": "done"},
        {"trigger": Go, "source": "*", "dest": IGNORE},
    )
    once = _process(states=("a", "done"), transitions=rows, on_start=lambda self: self.send("p", Go()))
    assert _check(p=once).verdict == "ok"
    lost = _check(p=once, faults="drop:1")
    assert schedule(lost.path) == ["drop p->p Go"]


def test_a_restart_is_progress_and_a_crash_is_not() -> None:
    rows = ({"trigger": "go", "source": "idle", "dest": "done"},)
    falling = _process(states=("idle", "done"), must=("go",), transitions=rows)
    assert _check(p=falling, faults="crash:unlimited").verdict == "ok"


# --- the cycle that is shown ------------------------------------------------------------------------------

TWO_LOOPS = (
    {"trigger": "near", "source": "a", "dest": "b"},
    {"trigger": "near", "source": "b", "dest": "a"},
    {"trigger": "far", "source": ["a", "b"], "dest": "c"},
    {"trigger": "back", "source": "c", "dest": "d"},
    {"trigger": "back", "source": "d", "dest": "a"},
)


def _two_loops() -> System:
    """The short loop a, b is unfair to `far`; the loop through c and d is fair to all."""
    loops = _process(states=("a", "b", "c", "d", "done"), must=("near", "far", "back"), transitions=TWO_LOOPS)
    return System({"p": loops}, properties=(DONE,))


def test_the_cycle_that_is_shown_is_itself_fair() -> None:
    result = check(_two_loops())
    assert result.verdict == "violated"
    graph = Graph(_two_loops())
    states, taken = [graph.initial()[0]], []
    for step in result.path:
        action = next(a for a in graph.actions(states[-1]) if a.code == step.code)
        taken.append(action)
        states.append(graph.apply(states[-1], action))
    assert states[0] == states[-1], "the whole schedule is the cycle here"
    assert is_round(graph, states[:-1], taken)
    assert "move p.far" in schedule(result.path)


def test_the_cycle_that_is_shown_replays_to_the_same_violation() -> None:
    result = check(_two_loops())
    run = simulate(_two_loops(), Replay(schedule(result.path)))
    assert run.finding is not None
    assert run.finding.property == "done"


def test_an_unfair_component_is_told_from_a_fair_one_and_its_round_from_a_short_cut() -> None:
    walk = PlainWalk(Graph(_two_loops()), Limits(), cycles=True)
    walk.run()
    explored = walk.explored()
    every = explored.everywhere()
    short = [int(walk.graph.view(state, "p").state in "ab") for state in walk.parents]
    (whole,) = explored.rounds(explored.reach(every, every), every)
    assert whole == [*range(4)]
    assert explored.rounds(explored.reach(short, short), every) == []
    steps = fair_round(Fair(explored, WEAK), Loop(set(whole)), 0)
    assert schedule([action for _, action, _ in steps]) == ["move p.near"] * 2 + ["move p.far"] + ["move p.back"] * 2


@pytest.mark.parametrize("network", ["any", "fifo"])
def test_a_conversation_that_never_comes_to_the_point_is_a_cycle(network: str) -> None:
    """Each answer is a question again; dropping none of them, it goes on for ever."""
    chat = (
        {"trigger": Again, "source": "*", "dest": None, "after": "ask"},
        {"trigger": Done, "source": "*", "dest": "done"},
    )
    one = _process(
        states=("open", "done"),
        transitions=chat,
        ask=lambda self: self.send("q", Again()),
        on_start=lambda self: self.send("q", Again()),
    )
    two = _process(states=("open", "done"), transitions=chat, ask=lambda self: self.send("p", Again()))
    result = _check(p=one, q=two, network=network)
    assert schedule(result.path) == ["deliver p->q Again", "deliver q->p Again"]


def test_what_lies_outside_of_the_bound_is_neither_rest_nor_cycle() -> None:
    circle = _process(states=("a", "b", "done"), must=("turn",), transitions=CIRCLE)
    bounded = System({"p": circle}, properties=(DONE,), within=within("near", lambda p: p.state == "a"))
    assert check(bounded).verdict == "ok"
    assert check(bounded).outside == 1
