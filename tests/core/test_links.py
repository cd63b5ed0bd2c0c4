"""A kind of network for each link, and `latest`: what each sentence of Semantics 5 says of them."""

from __future__ import annotations

from typing import Any

import pytest

from sim import IGNORE, Message, ModelError, Process, System, always, check, fuzz, sometimes
from sim.graph.graph import Graph
from sim.graph.tabulation import Tabulation
from sim.system.links import in_words, kind_of
from sim.system.network import KIND_BITS, ByLink
from sim.world.story import Fate
from tests.walk import Walk


class Reading(Message):
    n: int


class Bye(Message):
    pass


class Sensor(Process):
    """Sends readings to `b`, one at a time, then says goodbye."""

    states = ("on", "off")
    must = ("read", "end")
    transitions = (
        {"trigger": "read", "source": "on", "dest": None, "conditions": "goes_on", "after": "report"},
        {"trigger": "end", "source": "on", "dest": "off", "unless": "goes_on", "after": "part"},
    )
    count: int = 2
    sent: int = 0

    def goes_on(self) -> bool:
        return self.sent < self.count

    def report(self) -> None:
        self.sent += 1
        self.send("b", Reading(self.sent))

    def part(self) -> None:
        self.send("b", Bye())


class Display(Process):
    """Shows readings."""

    states = ("on",)
    transitions = (
        {"trigger": Reading, "source": "on", "dest": None, "after": "show"},
        {"trigger": Bye, "source": "on", "dest": IGNORE},
    )
    shown: tuple[int, ...] = ()

    def show(self, reading: Reading) -> None:
        self.shown = (*self.shown, reading.n)


def sensors(network: Any, faults: str = "", **more: Any) -> System:
    return System({"a": Sensor(), "b": Display()}, network=network, faults=faults, **more)


def shown(network: Any, faults: str = "") -> set[tuple[int, ...]]:
    """What the display has shown where nothing more happens."""
    graph = Graph(sensors(network, faults))
    found, level = set(graph.initial()), graph.initial()
    while level:
        level = [s for s in {graph.apply(s, a) for s in level for a in graph.actions(s)} if s not in found]
        found |= {*level}
    return {graph.view(state, "b").shown for state in found if graph.quiescent(state)}


# --- the kind of a link -------------------------------------------------------------------------------------


def test_the_most_exact_entry_decides() -> None:
    kinds = {"*": "any", "*->b": "set", "a->*": "fifo", "a->b": "latest"}
    assert [kind_of(kinds, *link) for link in (("a", "b"), ("a", "c"), ("c", "b"), ("b", "a"))] == [
        "latest",
        "fifo",
        "set",
        "any",
    ]
    del kinds["a->b"]
    assert kind_of(kinds, "a", "b") == "fifo"
    assert kind_of({"a->b": "fifo"}, "b", "a") == "any"
    assert in_words(kinds) == "*: any, *->b: set, a->*: fifo"


def test_one_kind_for_every_link_is_that_network() -> None:
    for kind in ("any", "fifo"):
        assert _counts(sensors(kind), "plain") == _counts(sensors({"*": kind, "a->b": kind}), "plain")
    for kind in ("any", "fifo", "set"):
        assert type(Graph(sensors({"*->*": kind})).network) is type(Graph(sensors(kind)).network)


@pytest.mark.parametrize(
    ("network", "says"),
    [
        ({"*": "tcp"}, "network of *: unknown kind 'tcp': use any, fifo, set or latest"),
        ({"a->c": "fifo"}, "network: link 'a->c': unknown process 'c': use a or b"),
        ({"a": "fifo"}, "network: 'a' is not a link; write source->target, either side may be *"),
        ({1: "fifo"}, "network: 1 is not a link; write source->target, either side may be *"),
        ({}, "expected any, fifo, set or latest, or one of them for each link"),
        (3, "expected any, fifo, set or latest, or one of them for each link"),
    ],
)
def test_a_mistake_in_the_links_is_one_line(network: Any, says: str) -> None:
    with pytest.raises(ModelError) as caught:
        sensors(network)
    assert len(caught.value.mistakes) == 1
    assert says in caught.value.mistakes[0]


# --- faults that strike on some kinds only ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("network", "faults", "says"),
    [
        ("latest", "duplicate:1", "in a `latest` network a newer message replaces the older one"),
        ({"*": "fifo", "a->b": "set"}, "duplicate:1@a->b", "in a `set` network a message stays in flight forever"),
        ({"*": "fifo", "a->b": "any"}, "reorder:1@a->b", "reorder requires a fifo network"),
        ({"*": "latest", "a->b": "any"}, "reorder:1", "this one is '*: latest, a->b: any'"),
    ],
)
def test_an_entry_that_no_link_fits_is_refused(network: Any, faults: str, says: str) -> None:
    with pytest.raises(ModelError, match=r"fault '") as caught:
        sensors(network, faults)
    assert says in str(caught.value)


def test_elsewhere_it_is_not_enabled() -> None:
    def kinds(network: Any, faults: str) -> set[str]:
        graph = Graph(sensors(network, faults))
        state = graph.initial()[0]
        for _ in range(2):
            state = graph.apply(state, next(a for a in graph.actions(state) if a.subject == "read"))
        return {kind for action in graph.actions(state) for kind in action.strikes}

    assert kinds({"*": "fifo"}, "reorder:1,duplicate:1") == {"reorder", "duplicate"}
    assert kinds({"*": "fifo", "a->b": "any"}, "reorder:1,duplicate:1") == {"duplicate"}
    assert kinds({"*": "fifo", "a->b": "set"}, "reorder:1,duplicate:1") == set()
    assert kinds({"*": "fifo", "a->b": "latest"}, "reorder:1,duplicate:1,drop:1") == {"drop"}


# --- latest -------------------------------------------------------------------------------------------------


def test_latest_a_newer_message_replaces_the_older_of_its_class() -> None:
    assert shown("latest") == {(1, 2), (2,)}
    assert shown("fifo") == {(1, 2)}
    assert shown("any") == {(1, 2), (2, 1)}


def test_latest_messages_of_other_classes_are_kept_beside_it() -> None:
    walk = Walk(sensors("latest"))
    walk.take("move a.read", "move a.read", "move a.end")
    assert sorted(walk.flying()) == ["a->b Bye()", "a->b Reading(n=2)"]


def test_latest_what_was_lost_is_not_there_any_more() -> None:
    assert shown("latest", "drop:1@Reading") == {(1, 2), (2,), (1,), ()}


def test_a_story_says_what_was_replaced() -> None:
    graph = Graph(sensors("latest"))
    state, steps = graph.initial()[0], []
    while actions := [a for a in graph.actions(state) if a.subject != "end"]:
        action = next((a for a in actions if a.subject == "read"), actions[0])
        steps.append((None, action))
        state = graph.apply(state, action)
    fates = [journey.fate for journey in graph.tell(graph.starts()[0], steps).journeys]
    assert fates == [Fate.REPLACED, Fate.DELIVERED]


def test_a_network_by_link_keeps_what_belongs_together_and_forgets_the_rest() -> None:
    order, kind = [8, 8, 4, 12, 16, 16], ["fifo", "fifo", "any", "set", "latest", "latest"]
    net = ByLink(order, kind)
    flying = net.add(net.empty(), (1, 0, 2, 2, 3, 3, 4, 5, 1))
    assert flying == (2, 2, 1, 0, 1, 3, 5)
    assert flying == net.add((), (3, 4, 1, 2, 0, 5, 2, 1))
    assert [*net.heads(flying)] == [2, 1, 3, 5]
    assert [*net.overtakers(flying)] == [0]
    assert net.deliver(flying, 3) == flying
    assert net.remove(flying, 3) == (2, 2, 1, 0, 1, 5)
    assert net.deliver(flying, 1) == (2, 2, 0, 1, 3, 5)


# --- both engines, and what cannot be reduced ---------------------------------------------------------------


def _counts(system: System, engine: str) -> tuple[Any, ...]:
    result = check(system, engine=engine)
    return result.states, result.generated, result.depth, result.verdict


def test_a_compiled_walk_that_forgets_the_kinds_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    system = sensors({"*": "any", "a->b": "latest"}, "drop:1")
    expected = _counts(system, "plain")
    assert _counts(system, "compiled") == expected
    met = Tabulation._met_envelope

    def forgetful(self: Tabulation, number: int, envelope: Any) -> None:
        met(self, number, envelope)
        self.order[-1] &= ~((1 << KIND_BITS) - 1)

    monkeypatch.setattr(Tabulation, "_met_envelope", forgetful)
    assert _counts(system, "plain") == expected
    assert _counts(system, "compiled") != expected


def test_a_system_whose_network_goes_by_link_is_not_reduced_and_says_why() -> None:
    result = check(sensors({"*": "any", "a->b": "fifo"}), reduce=True)
    assert result.reduced is not None
    assert result.reduced.applied == []
    assert "the network is not of one kind on every link, or is `latest`" in result.reduced.off


# --- a lock whose calls are local, and whose answers are not -------------------------------------------------


class Want(Message):
    pass


class Done(Message):
    pass


class Quit(Message):
    """Somebody who wanted the lock does not any more."""


class Yours(Message):
    pass


class Lock(Process):
    """Serves who comes first. `mended`: whoever quits after the lock was given to them passes it on."""

    states = ("up",)
    transitions = (
        {"trigger": Want, "source": "up", "dest": None, "after": "enqueue"},
        {"trigger": Done, "source": "up", "dest": None, "after": "pass_on"},
        {"trigger": Quit, "source": "up", "dest": None, "after": "strike_out"},
    )
    mended: bool
    line: tuple[str, ...] = ()

    def enqueue(self) -> None:
        self.line = (*self.line, self.sender)
        if len(self.line) == 1:
            self.send(self.sender, Yours())

    def pass_on(self) -> None:
        self.line = self.line[1:]
        if self.line:
            self.send(self.line[0], Yours())

    def strike_out(self) -> None:
        if self.sender in self.line[1:]:
            self.line = tuple(name for name in self.line if name != self.sender)
        elif self.sender in self.line and self.mended:
            self.pass_on()


class Worker(Process):
    states = ("waiting", "working", "done", "gone")
    hot = ("waiting",)
    must = ("finish",)
    may = ("leave",)
    transitions = (
        {"trigger": Yours, "source": "waiting", "dest": "working"},
        {"trigger": Yours, "source": "gone", "dest": IGNORE},
        {"trigger": "finish", "source": "working", "dest": "done", "after": "give_back"},
        {"trigger": "leave", "source": "waiting", "dest": "gone", "after": "say_so"},
    )

    def on_start(self) -> None:
        self.send("lock", Want())

    def give_back(self) -> None:
        self.send("lock", Done())

    def say_so(self) -> None:
        self.send("lock", Quit())


WORKERS = ("w1", "w2", "w3")
BY_LINK = {"*": "any", "*->lock": "fifo"}


def lock(network: Any, *, mended: bool) -> System:
    return System(
        {"lock": Lock(mended=mended), **{name: Worker() for name in WORKERS}},
        network=network,
        properties=(
            always("one at a time", lambda *w: sum(one.state == "working" for one in w) <= 1, reads=WORKERS),
            sometimes("all work", lambda *w: all(one.state == "done" for one in w), reads=WORKERS),
        ),
    )


def test_calls_in_order_and_answers_in_any_order_prove_the_mended_lock() -> None:
    assert check(lock(BY_LINK, mended=True)).verdict == "ok"


def test_the_lock_that_is_given_to_who_is_gone_is_found() -> None:
    assert check(lock(BY_LINK, mended=False)).finding.property == "stuck"  # type: ignore[union-attr]
    found = fuzz(lock(BY_LINK, mended=False), schedules=300).found
    assert [one.property for one in found] == ["stuck"]


def test_one_kind_for_all_links_accuses_the_mended_lock() -> None:
    assert check(lock("any", mended=True)).finding.property == "stuck"  # type: ignore[union-attr]
