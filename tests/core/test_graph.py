"""Actions and their effects on tiny systems, one test for each sentence of the Semantics."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any, ClassVar

import pytest

from sim import (
    DEFER,
    IGNORE,
    AgentTimeout,
    Crashed,
    Emission,
    EmptyResponse,
    Fault,
    Graph,
    Message,
    ModelError,
    Monitor,
    Process,
    RateLimited,
    Received,
    Restarted,
    System,
    check,
)
from sim.base.mixer import MASK, mark, mix
from tests.walk import Walk

ROOT = Path(__file__).parents[2]


class Ask(Message):
    n: int = 0


class Store(Message):
    pass


class Saved(Emission):
    pass


def process(**body: Any) -> Process:
    made: type[Process] = type(
        "P", (Process,), {"__module__": __name__, "__annotations__": {}, "states": ("idle",), **body}
    )
    return made()


def asks(*targets: str) -> Process:
    return process(on_start=lambda self: [self.send(target, Ask()) for target in targets] and None)


# --- budgets -----------------------------------------------------------------------------------------------


def test_a_finite_budget_is_spent_and_part_of_the_state() -> None:
    there = Walk(System({"p": asks("q", "q", "q"), "q": process()}, faults="drop:2"))
    assert there.state.budgets == (2,)
    there.take("drop p->q Ask(n=0)", "drop p->q Ask(n=0)")
    assert there.state.budgets == (0,)
    assert "drop p->q Ask(n=0)" not in there.enabled()


def test_an_unlimited_budget_is_not_in_the_state() -> None:
    there = Walk(System({"p": asks("q"), "q": process()}, faults="drop:unlimited, crash:1@q"))
    assert there.state.budgets == (1,)
    there.take("drop p->q Ask(n=0)")
    assert there.state.budgets == (1,)


@pytest.mark.parametrize(
    ("target", "struck"),
    [
        ("p", {"p->q", "p->r", "r->p"}),
        ("q", {"p->q"}),
        ("Store", {"p->r"}),
        ("Ask", {"p->q", "r->p"}),
        ("r", {"p->r", "r->p"}),
    ],
)
def test_a_target_of_a_network_fault_is_a_source_a_target_or_a_type(target: str, struck: set[str]) -> None:
    def start(self: Any) -> None:
        self.send("q", Ask())
        self.send("r", Store())

    there = Walk(System({"p": process(on_start=start), "q": process(), "r": asks("p")}, faults=f"drop:1@{target}"))
    assert {text.split()[1] for text in there.enabled() if text.startswith("drop")} == struck


def test_the_entry_with_a_target_is_drawn_on_first() -> None:
    there = Walk(System({"p": asks("q", "q"), "q": process()}, faults="drop:1,drop:1@q"))
    assert there.take("drop p->q Ask(n=0)").state.budgets == (1, 0)
    assert there.take("drop p->q Ask(n=0)").state.budgets == (0, 0)


@pytest.mark.parametrize(
    ("faults", "says"),
    [
        ("crash:1@r", "unknown process 'r': use p or q"),
        ("crash:1@Ask", "unknown process 'Ask'"),
        ("agent_timeout:1", "nothing carries agent_timeout"),
        ("drop:1@qq", "unknown process 'qq' (did you mean 'q'?)"),
    ],
)
def test_a_budget_that_fits_nothing_is_refused(faults: str, says: str) -> None:
    with pytest.raises(ModelError) as caught:
        System({"p": asks("q"), "q": process()}, faults=faults)
    assert says in str(caught.value)


# --- crash and restart -------------------------------------------------------------------------------------


def saver(**body: Any) -> Process:
    """On Ask: keeps it, tells, notes, emits, keeps again. Two fields survive a crash, one does not."""

    def save(self: Any, ask: Ask) -> None:
        self.kept = 1
        self.send("q", Store())
        self.seen = 1
        self.emit(Saved())
        self.last = 2

    fields = {"kept": 0, "last": 0, "seen": 0, "__annotations__": {"kept": "int", "last": "int", "seen": "int"}}
    rows = ({"trigger": Ask, "source": "idle", "dest": "busy", "after": "save"},)
    return process(
        states=("idle", "busy"), transitions=rows, durable=("kept", "last"), save=save, **fields, **body,
        on_start=lambda self: self.send("p", Ask()),
    )  # fmt: skip


class Count(Monitor):
    states = ("on",)
    transitions = tuple(
        {"trigger": kind, "source": "on", "dest": None, "after": "hear"}
        for kind in (Saved, Crashed, Restarted, Received)
    )
    heard: tuple[str, ...] = ()

    def hear(self, emission: Emission) -> None:
        self.heard = (*self.heard, type(emission).__name__)


SINK = {"q": process(transitions=({"trigger": Store, "source": "idle", "dest": IGNORE},))}
DELIVER = "deliver p->p Ask(n=0)"


@pytest.mark.parametrize(
    ("window", "kept", "last", "sent", "heard"),
    [
        ("at once", 0, 0, 0, ("Received", "Crashed")),
        ("after writing kept", 1, 0, 0, ("Received", "Crashed")),
        ("after Store", 1, 0, 1, ("Received", "Crashed")),
        ("after Saved", 1, 0, 1, ("Received", "Saved", "Crashed")),
        ("after writing last", 1, 2, 1, ("Received", "Saved", "Crashed")),
    ],
)
def test_a_crash_may_strike_after_any_prefix_of_the_outputs(
    window: str, kept: int, last: int, sent: int, heard: tuple[str, ...]
) -> None:
    there = Walk(System({"p": saver(), **SINK}, monitors={"m": Count()}, faults="crash:1@p"))
    windows = [text for text in there.enabled() if text.startswith(DELIVER)]
    assert len(windows) == 1 + 5  # whole, and after 0, 1, 2, 3, 4 outputs and all 5: `at once` is the first
    there.take(f"{DELIVER} crashing {window}")
    view = there.view("p")
    assert (view.state, view.up, view.kept, view.last, view.seen) == ("(down)", False, kept, last, 0)
    assert there.flying().count("p->q Store()") == sent
    assert there.view("m").heard == heard
    assert there.flying().count("p->p Ask(n=0)") == 0


test_a_crash_may_strike_after_any_prefix_of_the_outputs.__doc__ = (
    "Durable writes before it hold, those behind it do not."
)


def test_a_crash_between_inputs_leaves_the_message_in_flight() -> None:
    there = Walk(System({"p": saver(), **SINK}, faults="crash:1@p")).take("crash p")
    assert there.flying() == ["p->p Ask(n=0)"]
    assert there.take("restart p").view("p").state == "idle"


def test_a_restart_is_in_the_initial_state_with_what_was_durable_and_runs_on_restart() -> None:
    def again(self: Any) -> None:
        self.seen = 10 + self.kept
        self.send("q", Store())

    there = Walk(System({"p": saver(on_restart=again), **SINK}, monitors={"m": Count()}, faults="crash:1@p"))
    there.take(f"{DELIVER} crashing after Saved", "restart p")
    view = there.view("p")
    assert (view.state, view.kept, view.last, view.seen) == ("idle", 1, 0, 11)
    assert there.flying() == ["p->q Store()", "p->q Store()"]
    assert there.view("m").heard[-2:] == ("Crashed", "Restarted")


def test_a_crash_may_strike_in_on_restart() -> None:
    def again(self: Any) -> None:
        self.last += 1
        self.send("q", Store())

    there = Walk(System({"p": saver(on_restart=again), **SINK}, faults="crash:unlimited@p")).take("crash p")
    assert [t for t in there.enabled() if t.startswith("restart")] == [
        "restart p",
        "restart p crashing after Store",
        "restart p crashing after writing last",
        "restart p crashing at once",
    ]
    there.take("restart p crashing after writing last")
    assert (there.view("p").state, there.view("p").last) == ("(down)", 1)
    assert there.flying() == ["p->p Ask(n=0)"]


def test_fields_that_are_not_durable_begin_again_as_they_were_given() -> None:
    class Given(Process):
        states = ("idle",)
        may = ("go",)
        transitions = ({"trigger": "go", "source": "idle", "dest": None, "after": "act"},)
        size: int = 1

        def act(self) -> None:
            self.size = 9

    there = Walk(System({"p": Given(size=5)}, faults="crash:1")).take("move p.go", "crash p", "restart p")
    assert there.view("p").size == 5


def test_a_durable_write_that_changes_nothing_is_no_output() -> None:
    def same(self: Any) -> None:
        self.kept = 0
        self.kept = 0

    rows = ({"trigger": "go", "source": "idle", "dest": None, "after": "same"},)
    p = process(may=("go",), transitions=rows, same=same, kept=0, durable=("kept",), __annotations__={"kept": "int"})
    assert Walk(System({"p": p}, faults="crash:1")).enabled() == ["crash p", "move p.go", "move p.go crashing at once"]


def timed(**body: Any) -> Process:
    rows = (
        {"trigger": "t", "source": "idle", "dest": None, "after": "fired"},
        {"trigger": "u", "source": "idle", "dest": DEFER},
        {"trigger": "go", "source": "idle", "dest": None, "after": "act"},
    )

    def start(self: Any) -> None:
        self.arm("t", (5, 9))
        self.arm("u", 1)

    given: dict[str, Any] = {"fired": lambda self: None, "act": lambda self: None, "on_start": start, **body}
    return process(timers=("t", "u"), may=("go",), transitions=rows, **given)


def test_any_armed_timer_may_fire_firing_disarms_and_deferring_leaves_it_armed() -> None:
    there = Walk(System({"p": timed()}))
    assert there.view("p").timers == ("t", "u")
    assert there.enabled() == ["fire p.t", "move p.go"]
    assert there.take("fire p.t").view("p").timers == ("u",)


def test_a_timer_can_be_armed_again_by_its_own_firing() -> None:
    there = Walk(System({"p": timed(fired=lambda self: self.arm("t", 7))}))
    before = there.state
    assert there.take("fire p.t").state == before


def test_rearming_replaces_and_changes_no_state_and_cancelling_removes() -> None:
    there = Walk(System({"p": timed(act=lambda self: self.arm("t", 1_000))}))
    before = there.state
    assert there.take("move p.go").state == before
    there = Walk(System({"p": timed(act=lambda self: self.cancel("t"))}))
    assert there.take("move p.go").enabled() == ["move p.go"]


def test_the_last_of_several_arms_in_one_handler_counts_and_a_cancel_behind_it_takes_it_back() -> None:
    def act(self: Any) -> None:
        self.arm("t", 1)
        self.arm("u", 2)
        self.arm("t", 3)
        self.cancel("u")

    action = Walk(System({"p": timed(act=act)})).action("move p.go")
    assert {arm.timer: arm.low_ms for arm in action.arms} == {"t": 3}


def test_timers_are_lost_in_a_crash_and_a_crash_may_strike_in_a_timer() -> None:
    there = Walk(System({"p": timed()}, faults="crash:1"))
    assert "fire p.t crashing at once" in there.enabled()
    assert there.take("crash p").view("p").timers == ()
    assert there.take("restart p").enabled() == ["move p.go"]


def test_a_crash_after_an_output_strikes_there_and_nowhere_else() -> None:
    there = Walk(System({"p": saver(), **SINK}, faults="crash:1@p after Store"))
    assert there.enabled() == [DELIVER, f"{DELIVER} crashing after Store"]
    there = Walk(System({"p": saver(), **SINK}, faults="crash:1 after kept"))
    assert there.enabled() == [DELIVER, f"{DELIVER} crashing after writing kept"]
    there = Walk(System({"p": saver(), **SINK}, faults="crash:1@p after Ask"))
    assert there.enabled() == [DELIVER, f"{DELIVER} crashing after writing last"]


# --- domain faults -----------------------------------------------------------------------------------------


class Sulk(Fault):
    kind: ClassVar[str] = "sulk"


class Sulky(Fault):
    kind: ClassVar[str] = "sulk"


class Cutting(Fault):
    kind: ClassVar[str] = "cut"


def agent(fault: type[Fault], **row: Any) -> Process:
    rows = (
        {"trigger": Ask, "source": "idle", "dest": "done"},
        {"trigger": fault, "source": "idle", "dest": "struck", **row},
        {"trigger": Ask, "source": "struck", "dest": "late"},
        {"trigger": Ask, "source": "done", "dest": IGNORE},
    )
    return process(
        states=("idle", "done", "struck", "late"), transitions=rows, seen=(), note=lambda self, f: setattr(self, "seen", f),
        never=lambda self: False, __annotations__={"seen": "object"},
    )  # fmt: skip


def fault_walk(fault: type[Fault], faults: str, **row: Any) -> Walk:
    return Walk(System({"u": asks("p"), "p": agent(fault, **row)}, faults=faults, carriers={fault: (Ask,)}))


ASK = "deliver u->p Ask(n=0)"


@pytest.mark.parametrize(
    ("fault", "kind"), [(AgentTimeout, "agent_timeout"), (EmptyResponse, "empty_response"), (Sulk, "sulk")]
)
def test_delivery_under_a_fault_gives_the_fault_instead_and_only_a_timeout_leaves_the_message(
    fault: type[Fault], kind: str
) -> None:
    there = fault_walk(fault, f"{kind}:1")
    assert there.enabled() == [ASK, f"{ASK} under {kind}"]
    assert not there.action(f"{ASK} under {kind}").progress
    there.take(f"{ASK} under {kind}")
    assert there.view("p").state == "struck"
    assert there.flying() == (["u->p Ask(n=0)"] if fault is AgentTimeout else [])
    assert there.enabled() == ([ASK] if fault is AgentTimeout else [])


def test_a_fault_has_an_opportunity_only_where_a_row_for_it_is_enabled() -> None:
    there = fault_walk(Sulk, "sulk:1", conditions="never")
    assert there.enabled() == [ASK]
    there = fault_walk(Sulk, "sulk:1", source="done")
    assert there.enabled() == [ASK]
    there = fault_walk(Sulk, "sulk:1", dest=DEFER)
    assert there.enabled() == [ASK]


def test_a_fault_strikes_its_carriers_only() -> None:
    system = System({"u": asks("p"), "p": agent(Sulk)}, faults="sulk:1", carriers={Sulk: (Store,)})
    assert Walk(system).enabled() == [ASK]


def test_a_handler_of_a_fault_is_given_the_fault_with_the_message_and_the_hint() -> None:
    there = fault_walk(RateLimited, "rate_limited:1(30s)", after="note")
    there.take(f"{ASK} under rate_limited(30s)")
    assert there.view("p").seen == RateLimited(Ask(), 30_000)


def test_a_fault_is_not_a_received_input() -> None:
    system = System(
        {"u": asks("p"), "p": agent(Sulk)}, faults="sulk:1", carriers={Sulk: (Ask,)}, monitors={"m": Count()}
    )
    assert Walk(system).take(f"{ASK} under sulk").view("m").heard == ()
    assert Walk(system).take(ASK).view("m").heard == ("Received",)


def test_a_crash_may_strike_under_a_fault_and_both_budgets_are_spent() -> None:
    there = fault_walk(AgentTimeout, "agent_timeout:1,crash:1@p")
    there.take(f"{ASK} under agent_timeout crashing at once")
    assert there.state.budgets == (0, 0)
    assert there.flying() == ["u->p Ask(n=0)"]


@pytest.mark.parametrize(
    ("carriers", "says"),
    [
        ({Fault: (Ask,)}, "Fault"),
        ({Ask: (Ask,)}, "Ask"),
        ({Sulk: Ask}, "write (Ask,)"),
        ({Sulk: (Saved,)}, "Saved"),
        ({Sulk: ()}, "no message type"),
        ({Sulk: (Ask,), Sulky: (Ask,)}, "the kind 'sulk' of Sulky is taken"),
        ({Cutting: (Ask,)}, "the kind 'cut' of Cutting is taken"),
    ],
)
def test_carriers_that_carry_nothing_are_refused(carriers: Any, says: str) -> None:
    with pytest.raises(ModelError, match="carriers") as caught:
        System({"u": asks("u")}, carriers=carriers)
    assert says in str(caught.value)


# --- choices, starts, progress -----------------------------------------------------------------------------


def test_an_action_and_its_choices_are_one_step_each_outcome_path_an_action() -> None:
    def act(self: Any) -> None:
        if self.choose("left", "right", "left") == "right":
            self.x = self.choose(1, 2)

    p = process(
        may=("go",),
        transitions=({"trigger": "go", "source": "idle", "dest": None, "after": "act"},),
        act=act,
        x=0,
        __annotations__={"x": "int"},
    )
    there = Walk(System({"p": p}))
    assert there.enabled() == ["move p.go choosing left", "move p.go choosing right, 1", "move p.go choosing right, 2"]
    result = check(System({"p": p}))
    assert (result.states, result.generated, result.depth) == (3, 1 + 3 * 3, 2)


def test_what_on_start_sends_is_in_flight_in_the_initial_state_and_what_it_emits_was_heard() -> None:
    def start(self: Any) -> None:
        self.send("p", Ask(1))
        self.emit(Saved())
        self.arm("t", 1)

    rows = ({"trigger": "t", "source": "idle", "dest": IGNORE},)
    there = Walk(System({"p": process(on_start=start, timers=("t",), transitions=rows)}, monitors={"m": Count()}))
    assert there.flying() == ["p->p Ask(n=1)"]
    assert there.view("m").heard == ("Saved",)
    assert there.view("p").timers == ("t",)


def test_several_initial_states_come_of_choices_in_on_start() -> None:
    def start(self: Any) -> None:
        self.x = self.choose(1, 2)

    p = process(on_start=start, x=0, __annotations__={"x": "int"})
    system = System({"p": p, "q": p})
    assert [(Walk(system, i).view("p").x, Walk(system, i).view("q").x) for i in range(4)] == [
        (1, 1),
        (1, 2),
        (2, 1),
        (2, 2),
    ]


def test_progress_is_delivery_timers_must_rows_restart_and_heal() -> None:
    rows = (
        {"trigger": Ask, "source": "idle", "dest": IGNORE},
        {"trigger": "t", "source": "idle", "dest": IGNORE},
        {"trigger": "owed", "source": "idle", "dest": None},
        {"trigger": "free", "source": "idle", "dest": None},
    )

    def start(self: Any) -> None:
        self.send("p", Ask())
        self.arm("t", 1)

    p = process(timers=("t",), must=("owed",), may=("free",), transitions=rows, on_start=start)
    there = Walk(System({"p": p}, faults="crash:1,drop:1,duplicate:1"))
    progress = {text for text in there.enabled() if there.action(text).progress}
    assert progress == {"deliver p->p Ask(n=0)", "fire p.t", "move p.owed"}
    assert there.take("crash p").action("restart p").progress


def test_beyond_its_table_nothing_is_enabled() -> None:
    there = Walk(System({"p": asks("p")}, faults="crash:unlimited,drop:1"))
    there.take("deliver p->p Ask(n=0)")
    assert there.view("p").state == "(failed)"
    assert there.enabled() == []


def test_quiescent_is_where_no_progress_changes_the_state() -> None:
    p = process(
        must=("spin",),
        may=("go",),
        transitions=(
            {"trigger": "spin", "source": "idle", "dest": None},
            {"trigger": "go", "source": "idle", "dest": None},
        ),
    )
    there = Walk(System({"p": p}, faults="crash:1"))
    assert there.graph.quiescent(there.state)
    assert not there.graph.quiescent(there.take("crash p").state)


# --- keys --------------------------------------------------------------------------------------------------

PROBE = """
import sys
sys.path.insert(0, {root!r})
from tests.core.test_graph import SINK, saver, agent, asks, Ask, Count
from sim import AgentTimeout, Graph, System
system = System({{"p": saver(), **SINK, "a": agent(AgentTimeout), "u": asks("a")}}, network="fifo", monitors={{"m": Count()}},
                faults="crash:1,drop:1,agent_timeout:1", carriers={{AgentTimeout: (Ask,)}})
graph = Graph(system)
state = graph.initial()[0]
for turn in range(12):
    actions = graph.actions(state)
    print([(str(a.address), a.key, a.record.hex()) for a in actions], graph.value(state))
    if not actions:
        break
    state = graph.apply(state, min(actions, key=lambda a: a.key))
"""


def test_keys_and_records_of_actions_are_the_same_in_other_processes_and_hash_seeds() -> None:
    outputs = {
        subprocess.run(
            [sys.executable, "-c", PROBE.format(root=str(ROOT))],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert len(outputs) == 1
    assert "crashing after Saved" in outputs.pop()


def test_no_two_actions_of_a_state_share_a_key() -> None:
    graph = Graph(System({"p": saver(), **SINK}, faults="crash:1,drop:1,duplicate:1"))
    level, seen = graph.initial(), set(graph.initial())
    while level:
        state = level.pop()
        actions = graph.actions(state)
        assert len({action.key for action in actions}) == len(actions)
        for action in actions:
            after = graph.apply(state, action)
            if after not in seen:
                seen.add(after)
                level.append(after)


# --- fingerprints --------------------------------------------------------------------------------------------


def bag(graph: Graph, copies: int) -> int:
    """The fingerprint of the start with so many copies of one message in flight."""
    (start,) = (begun.place for begun in graph.starts())
    (asked,) = set(graph.network.every(start.net))
    net = start.net
    for _ in range(copies - 1):
        net = graph.network.add(net, (asked,))
    return graph.fingerprint(start._replace(net=net))


def test_each_number_of_equal_messages_has_a_fingerprint_and_the_same_one_in_whichever_order_it_is_asked() -> None:
    def graph() -> Graph:
        return Graph(System({"a": asks("b"), "b": process()}, network="any"))

    rising, falling = graph(), graph()
    up = [bag(rising, copies) for copies in (1, 2, 3, 40)]
    down = [bag(falling, copies) for copies in (40, 3, 2, 1)]

    assert len(set(up)) == 4
    assert down[::-1] == up
    assert up[2] == by_hand(graph(), 3)


def by_hand(graph: Graph, copies: int) -> int:
    """The sum over what stands in which place, as all engines share it."""
    (start,) = (begun.place for begun in graph.starts())
    (asked,) = set(graph.network.every(start.net))
    locals_, envelopes = graph.tables.locals.keys, graph.tables.envelopes.keys
    marks = [mark(place, locals_[i]) for place, i in enumerate(start.locals)]
    marks += [mark((1 << 24) + copy, envelopes[asked]) for copy in range(copies)]
    return mix(sum(marks) & MASK)
