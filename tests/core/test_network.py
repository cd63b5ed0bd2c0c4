"""The three networks, on their own and under a graph, with what each sentence of Semantics 5 says."""

from __future__ import annotations

from typing import Any

import pytest

from sim import DEFER, IGNORE, AgentTimeout, Disconnect, Message, ModelError, Process, System, cut
from sim.system.network import AnyOrder, Fifo, SentForEver
from tests.walk import Walk


class Letter(Message):
    n: int


class Sender(Process):
    """Sends these numbers to `b`, at its start and again on request."""

    states = ("idle",)
    may = ("again",)
    transitions = ({"trigger": "again", "source": "idle", "dest": None, "conditions": "fresh", "after": "on_start"},)
    numbers: tuple[int, ...] = (1,)
    limit: int = 0

    def fresh(self) -> bool:
        return self.limit > 0

    def on_start(self) -> None:
        for n in self.numbers:
            self.send("b", Letter(n))


class Reader(Process):
    """Reads what comes; what is `unread` it defers."""

    states = ("idle",)
    transitions = (
        {"trigger": Letter, "source": "idle", "dest": DEFER, "conditions": "is_unread"},
        {"trigger": Letter, "source": "idle", "dest": None, "after": "note"},
    )
    unread: tuple[int, ...] = ()
    got: tuple[int, ...] = ()

    def is_unread(self, letter: Letter) -> bool:
        return letter.n in self.unread

    def note(self, letter: Letter) -> None:
        self.got = (*self.got, letter.n)


def walk(*numbers: int, network: str = "any", faults: str = "", unread: tuple[int, ...] = (), **more: Any) -> Walk:
    processes = {"a": Sender(numbers=numbers), "b": Reader(unread=unread), **more.pop("others", {})}
    return Walk(System(processes, network=network, faults=faults, **more))


def letters(*numbers: int) -> list[str]:
    return [f"a->b Letter(n={n})" for n in numbers]


def deliver(n: int) -> str:
    return f"deliver a->b Letter(n={n})"


# --- any ---------------------------------------------------------------------------------------------------


def test_any_delivers_in_every_order_and_identical_envelopes_are_one_action() -> None:
    there = walk(1, 2, 1)
    assert there.flying() == letters(1, 1, 2)
    assert there.enabled() == [deliver(1), deliver(2)]
    assert there.take(deliver(1)).enabled() == [deliver(1), deliver(2)]
    assert there.take(deliver(2), deliver(1)).enabled() == []
    assert there.view("b").got == (1, 2, 1)


def test_any_delivers_each_message_once_and_ignoring_consumes_it() -> None:
    class Deaf(Reader):
        transitions = ({"trigger": Letter, "source": "idle", "dest": IGNORE},)

    there = Walk(System({"a": Sender(), "b": Deaf()}))
    assert there.take(deliver(1)).flying() == []


def test_what_is_deferred_stays_in_flight_and_is_no_action() -> None:
    there = walk(1, 2, unread=(1,))
    assert there.enabled() == [deliver(2)]
    assert there.take(deliver(2)).flying() == letters(1)
    assert there.graph.quiescent(there.state)


# --- fifo --------------------------------------------------------------------------------------------------


def test_fifo_delivers_the_head_of_each_pair() -> None:
    there = walk(1, 2, network="fifo", others={"c": Sender(numbers=(8, 9))})
    assert there.enabled() == [deliver(1), "deliver c->b Letter(n=8)"]
    there.take("deliver c->b Letter(n=8)")
    assert there.enabled() == [deliver(1), "deliver c->b Letter(n=9)"]


def test_fifo_a_deferred_head_blocks_its_pair_and_no_other() -> None:
    there = walk(1, 2, network="fifo", unread=(1,), others={"c": Sender(numbers=(8,))})
    assert there.enabled() == ["deliver c->b Letter(n=8)"]


def test_fifo_reorder_overtakes_the_head_and_spends_the_budget() -> None:
    there = walk(1, 2, 3, network="fifo", faults="reorder:1")
    assert there.enabled() == [deliver(1), f"{deliver(2)} reordered", f"{deliver(3)} reordered"]
    there.take(f"{deliver(3)} reordered")
    assert there.flying() == letters(1, 2)
    assert there.enabled() == [deliver(1)]


def test_fifo_reorder_passes_a_deferred_head() -> None:
    there = walk(1, 2, network="fifo", faults="reorder:1", unread=(1,))
    assert there.enabled() == [f"{deliver(2)} reordered"]


def test_fifo_overtaking_by_an_envelope_like_the_head_is_nothing_new() -> None:
    assert walk(1, 1, network="fifo", faults="reorder:1").enabled() == [deliver(1)]


def test_fifo_a_duplicate_joins_the_tail() -> None:
    there = walk(1, 2, network="fifo", faults="duplicate:1").take("duplicate a->b Letter(n=1)")
    assert there.flying() == letters(1, 2, 1)


def test_fifo_drop_takes_any_envelope_out_of_its_queue() -> None:
    there = walk(1, 2, 3, network="fifo", faults="drop:1").take("drop a->b Letter(n=2)")
    assert there.flying() == letters(1, 3)


def test_fifo_order_is_part_of_the_state_and_in_any_it_is_not() -> None:
    class Two(Sender):
        def on_start(self) -> None:
            first = self.choose(1, 2)
            for n in (first, 3 - first):
                self.send("b", Letter(n))

    processes: dict[str, Process] = {"a": Two(), "b": Reader()}
    assert len(Walk(System(processes, network="fifo")).starts) == 2
    assert len(Walk(System(processes, network="any")).starts) == 1


# --- set ---------------------------------------------------------------------------------------------------


def test_set_delivery_does_not_consume() -> None:
    there = walk(1, 2, network="set")
    there.take(deliver(1), deliver(1), deliver(2))
    assert there.view("b").got == (1, 1, 2)
    assert there.flying() == letters(1, 2)


def test_set_resending_changes_nothing() -> None:
    there = Walk(System({"a": Sender(numbers=(1, 1), limit=1), "b": Reader()}, network="set"))
    assert there.flying() == letters(1)
    before = there.state
    assert there.take("move a.again").state == before


def test_any_resending_sends_again() -> None:
    there = Walk(System({"a": Sender(limit=1), "b": Reader()}))
    assert there.take("move a.again").flying() == letters(1, 1)


def test_set_drop_removes_until_it_is_sent_again() -> None:
    there = Walk(System({"a": Sender(limit=1), "b": Reader()}, network="set", faults="drop:unlimited"))
    assert there.take("drop a->b Letter(n=1)").flying() == []
    assert there.take("move a.again").flying() == letters(1)


@pytest.mark.parametrize(
    ("network", "faults", "says"),
    [
        ("set", "duplicate:1", "cannot be duplicated"),
        ("any", "reorder:1", "reorder requires a fifo network"),
        ("any", "cut:1", "declares no cuts"),
    ],
)
def test_a_fault_that_a_network_cannot_have_is_refused(network: str, faults: str, says: str) -> None:
    with pytest.raises(ModelError, match=says):
        walk(1, network=network, faults=faults)


class Caller(Process):
    states = ("waiting", "told", "broken")
    transitions = (
        {"trigger": Letter, "source": ("waiting", "broken"), "dest": "told"},
        {"trigger": Letter, "source": "told", "dest": DEFER},
        {"trigger": Disconnect, "source": "waiting", "dest": "broken"},
        {"trigger": AgentTimeout, "source": "waiting", "dest": "broken"},
    )

    def on_start(self) -> None:
        self.send("me", Letter(1))


def struck(network: str, faults: str, step: str) -> list[str]:
    carriers = {Disconnect: (Letter,), AgentTimeout: (Letter,)}
    there = Walk(System({"me": Caller()}, network=network, faults=faults, carriers=carriers))
    return there.take(step).flying()


@pytest.mark.parametrize("network", ["any", "fifo", "latest"])
def test_a_domain_fault_uses_its_message_up_where_a_delivery_would(network: str) -> None:
    assert struck(network, "disconnect:1", "deliver me->me Letter(n=1) under disconnect") == []
    assert struck("set", "disconnect:1", "deliver me->me Letter(n=1) under disconnect") == ["me->me Letter(n=1)"]
    assert struck(network, "agent_timeout:1", "deliver me->me Letter(n=1) under agent_timeout") != []


def test_a_crash_in_the_handler_of_a_fault_leaves_in_flight_what_the_fault_leaves() -> None:
    step = "deliver me->me Letter(n=1) under {} crashing at once"
    assert struck("any", "disconnect:1,crash:1", step.format("disconnect")) == []
    assert struck("any", "agent_timeout:1,crash:1", step.format("agent_timeout")) == ["me->me Letter(n=1)"]


# --- down and cut ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("network", ["any", "fifo", "set"])
def test_envelopes_to_a_process_that_is_down_stay_in_flight(network: str) -> None:
    there = walk(1, network=network, faults="crash:1@b").take("crash b")
    assert there.enabled() == ["restart b"]
    assert there.flying() == letters(1)
    assert (
        there.graph.deferred(there.state, there.state.net[0] if network != "fifo" else there.state.net[0][1])
        == "b is down"
    )
    assert there.take("restart b", deliver(1)).view("b").got == (1,)


def test_envelopes_to_a_process_that_is_down_can_still_be_lost_or_doubled() -> None:
    there = walk(1, faults="crash:1@b,drop:1,duplicate:1").take("crash b")
    assert there.enabled() == ["drop a->b Letter(n=1)", "duplicate a->b Letter(n=1)", "restart b"]


class Pong(Process):
    states = ("idle",)
    transitions = ({"trigger": Letter, "source": "idle", "dest": IGNORE},)
    peers: tuple[str, ...]

    def on_start(self) -> None:
        for peer in self.peers:
            self.send(peer, Letter(0))


def talk(faults: str, **cuts: Any) -> Walk:
    names = ("p", "q", "r")
    processes = {name: Pong(peers=names) for name in names}
    return Walk(System(processes, cuts=cuts, faults=faults))


def links(there: Walk) -> set[str]:
    return {text.split()[1] for text in there.enabled() if text.startswith("deliver")}


ALL = {f"{a}->{b}" for a in "pqr" for b in "pqr"}


@pytest.mark.parametrize(
    ("made", "held"),
    [
        (cut({"p"}), {"p->q", "p->r", "q->p", "r->p"}),
        (cut({"p", "q"}), {"p->r", "q->r", "r->p", "r->q"}),
        (cut({"p"}, {"q"}), {"p->q", "q->p"}),
        (cut({"p"}, {"q"}, one_way=True), {"p->q"}),
        (cut({"p"}, one_way=True), {"p->q", "p->r"}),
        (cut(["q"], ["p", "r"], one_way=True), {"q->p", "q->r"}),
    ],
)
def test_a_cut_holds_what_crosses_it_and_healing_lets_it_pass(made: Any, held: set[str]) -> None:
    there = talk("cut:1@left", left=made)
    assert links(there) == ALL
    there.take("cut left")
    assert links(there) == ALL - held
    assert len(there.flying()) == 9
    assert there.enabled()[-1] == "heal left"
    assert links(there.take("heal left")) == ALL
    assert "cut left" not in there.enabled()


def test_cuts_add_up_and_each_heals_by_itself() -> None:
    there = talk("cut:unlimited", left=cut({"p"}), right=cut({"r"}, {"q"}))
    there.take("cut left", "cut right")
    assert links(there) == {"p->p", "q->q", "r->r"}
    assert [text for text in there.enabled() if text.startswith(("cut", "heal"))] == ["heal left", "heal right"]
    one = there.take("heal left").state
    assert links(there) == ALL - {"q->r", "r->q"}
    assert there.take("cut left", "heal left").state == one


def test_healing_is_progress_and_needs_no_budget_and_cutting_is_a_fault() -> None:
    there = talk("cut:1", left=cut({"p"}))
    assert not there.action("cut left").progress
    there.take("cut left")
    assert there.action("heal left").progress
    assert not there.graph.quiescent(there.state)


def test_cut_off_messages_of_a_fifo_pair_keep_their_order() -> None:
    there = walk(1, 2, network="fifo", faults="cut:1,reorder:1", cuts={"left": cut({"a"})})
    there.take("cut left")
    assert there.enabled() == ["heal left"]
    assert there.take("heal left", deliver(1)).enabled()[0] == deliver(2)


# --- the networks as pure functions ------------------------------------------------------------------------


def test_the_forms_of_the_networks_are_canonical() -> None:
    fifo = Fifo(lambda e: e // 10)
    assert fifo.add(fifo.add((), (21, 11)), (12,)) == ((1, 11, 12), (2, 21))
    assert fifo.remove(((1, 11),), 11) == ()
    assert list(fifo.overtakers(((1, 11, 12, 11, 12, 13),))) == [12, 13]
    assert AnyOrder().add(AnyOrder().add((), (3, 1)), (2, 1)) == (1, 1, 2, 3)
    assert AnyOrder().deliver((1, 1, 2), 1) == (1, 2)
    assert SentForEver().add(SentForEver().add((), (3, 1, 3)), (1,)) == (1, 3)
    assert SentForEver().deliver((1, 3), 1) == (1, 3)
    assert SentForEver().remove((1, 3), 1) == (3,)
