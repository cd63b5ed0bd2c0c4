"""What was persisted, taken over by the classes as they are now; what does not fit is told line by line; what is not known is
not judged, and said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from sim import (
    Accepted,
    Applied,
    EffectLedger,
    Graph,
    Message,
    ModelError,
    Persisted,
    Persisting,
    Process,
    Record,
    System,
    always,
    check,
    fuzz,
    sometimes,
    within,
)
from sim.base.values import Value
from sim.checker.reduction.claims import Claims
from sim.machine import migration
from sim.machine.migration import migrated, migrates
from sim.system.persisted import AGAIN_MAX, beginning_data, beginning_words, begun_from


class Order(Message):
    key: int


class Line(Record):
    key: int
    count: int = 1


class Shop(Process):
    """Takes an order, which its store applies."""

    states = ("open", "waiting")
    hot = ("waiting",)
    timers = ("retry",)
    may = {"push": 2}
    transitions = (
        {"trigger": Order, "source": "open", "dest": "waiting", "after": "take"},
        {"trigger": Order, "source": "waiting", "dest": None},
        {"trigger": "push", "source": "open", "dest": None},
        {"trigger": "retry", "source": "waiting", "dest": "open", "after": "store"},
    )
    durable = ("lines",)
    lines: tuple[Line, ...] = ()
    last: int | None = None

    def take(self, order: Order) -> None:
        self.last = order.key
        self.emit(Accepted(order.key))
        self.arm("retry", 100)

    def store(self) -> None:
        self.lines = (*self.lines, Line(self.last or 0))
        self.emit(Applied(self.last))


class Buyer(Process):
    states = ("idle", "done")
    must = ("buy",)
    transitions = ({"trigger": "buy", "source": "idle", "dest": "done", "after": "order"},)
    key: int

    def order(self) -> None:
        self.send("shop", Order(self.key))


def shop(**parts: Any) -> System:
    return System({"buyer": Buyer(key=1), "shop": Shop()}, monitors={"effects": EffectLedger()}, **parts)


WAITING = Persisting("waiting", {"lines": (), "last": 7, "push left": 1}, ("retry",))
HALF = Persisted({"shop": WAITING})
"""The store is about to apply what was accepted before."""


# --- what fits ----------------------------------------------------------------------------------------------


def start_of(system: System, name: str) -> Any:
    graph = Graph(system)
    return graph.view(graph.initial()[0], name)


def test_a_process_goes_on_in_its_state_with_its_fields_and_timers() -> None:
    view = start_of(shop(begins=HALF), "shop")
    assert (view.state, view.timers, view.last, view.fields()["push left"]) == ("waiting", ("retry",), 7, 1)


def test_one_of_which_nothing_is_known_starts() -> None:
    assert start_of(shop(begins=HALF), "buyer").state == "idle"


def test_a_field_that_was_not_persisted_has_its_default_as_this_system_has_it() -> None:
    system = System({"shop": Shop(lines=(Line(1),))}, begins=Persisted({"shop": Persisting("waiting", {"last": 2})}))
    assert start_of(system, "shop").lines == (Line(1),)


def test_who_is_down_comes_back_with_what_is_durable_and_nothing_else() -> None:
    system = shop(
        begins=Persisted({"shop": Persisting("waiting", {"lines": (Line(3),), "last": 7}, ("retry",), up=False)})
    )
    graph = Graph(system)
    view = graph.view(graph.initial()[0], "shop")
    assert (view.up, view.lines, view.last, view.timers) == (False, (Line(3),), None, ())
    (back,) = [action for action in graph.enabled(graph.initial()[0]) if action.kind.value == "restart"]
    assert graph.view(graph.apply(graph.initial()[0], back), "shop").state == "open"


def test_budgets_are_whole() -> None:
    graph = Graph(shop(begins=HALF, faults="drop:2,crash:1@shop"))
    assert [left for _, left in graph.budget_left(graph.initial()[0])] == [2, 1]


def test_the_same_message_comes_once_or_twice_where_it_may_come_again() -> None:
    order = ("buyer", "shop", Order(4))
    for network, sizes in (("any", [1, 2]), ("fifo", [1, 2]), ("set", [1]), ("latest", [1])):
        graph = Graph(shop(network=network, begins=Persisted({}, [(*order, True)])))
        assert [len(graph.network.every(state.net)) for state in graph.initial()] == sizes
    graph = Graph(shop(begins=Persisted({}, [order])))
    assert [len(graph.network.every(state.net)) for state in graph.initial()] == [1]


def test_copies_come_behind_all_that_is_in_flight_where_order_is_kept() -> None:
    orders = [("buyer", "shop", Order(1), True), ("buyer", "shop", Order(2))]
    graph = Graph(shop(network="fifo", begins=Persisted({}, orders)))
    _, twice = graph.initial()
    assert [graph.tables.envelopes.things[e].message.key for e in graph.network.every(twice.net)] == [1, 2, 1]


# --- what does not ------------------------------------------------------------------------------------------

ORDER = ("buyer", "shop", Order(1))
MISTAKES: list[tuple[Any, list[str]]] = [
    ("here", ["begins is 'here' (str); expected a Persisted"]),
    (Persisted([]), ["begins: locals is [] (list); expected a mapping from names to Persisting(...)"]),  # type: ignore[arg-type]
    (
        Persisted({"shop": "open"}),  # type: ignore[dict-item]
        ["begins: shop is 'open' (str); expected Persisting('state', {'field': value})"],
    ),
    (
        Persisted({"shopp": Persisting("open")}),
        ["begins: unknown process or monitor 'shopp' (did you mean 'shop'?): use buyer, shop or effects"],
    ),
    (
        Persisted({"shop": Persisting("opn", {"las": 1}, ("retri",)), "buyer": Persisting("idle")}),
        [
            "begins: shop: unknown timer 'retri' (did you mean 'retry'?): use retry",
            "begins: shop: unknown state 'opn' (did you mean 'open'?): use open or waiting; "
            "Shop.migrate may say what becomes of it",
            "begins: shop: unknown field 'las' (did you mean 'last'?): use lines, last or push left; "
            "Shop.migrate may say what becomes of it",
            "begins: buyer: nothing was persisted for the field 'key', which has no default: give it one; "
            "Buyer.migrate may say what becomes of it",
        ],
    ),
    (
        Persisted({"shop": Persisting("open", {"last": "x", "push left": -1, "lines": [1]})}),
        [
            "begins: shop: field lines: [1] (list) is not a value: use a tuple",
            "begins: shop: Shop.last is 'x' (str); expected int | None",
            "begins: shop: 'push left' is -1 (int); expected how often the move may still be made",
        ],
    ),
    (
        Persisted({"shop": Persisting("open", timers={"retry": -1})}),
        ["begins: shop: timer retry is due after (-1, -1); expected whole milliseconds, 0 or more, or (low, high)"],
    ),
    (
        Persisted({"shop": Persisting("open", timers="retry")}),
        ["begins: shop: timers is 'retry' (str); expected their names, or a mapping from them to milliseconds"],
    ),
    (Persisted({"effects": Persisting("owing", up=False)}), ["begins: effects: a monitor is never down"]),
    (Persisted({}, Order(1)), ["begins: flying is a Order; expected a sequence of (source, target, message)"]),  # type: ignore[arg-type]
    (Persisted({}, [Order(1)]), ["begins: a Order is in flight; expected (source, target, message)"]),  # type: ignore[list-item]
    (
        Persisted({}, [("buyer", "shp", Order(1)), ("buyer", "shop", 3)]),  # type: ignore[list-item]
        [
            "begins: in flight from 'buyer' to 'shp': unknown process 'shp' (did you mean 'shop'?): use buyer or shop",
            "begins: in flight from 'buyer' to 'shop' is 3 (int); expected a message",
        ],
    ),
    (Persisted({}, [("buyer", "shop", Order("x"))]), ["begins: Order.key is 'x' (str); expected int"]),  # type: ignore[arg-type]
    (
        Persisted({}, [("buyer", "shop", Order(n), True) for n in range(AGAIN_MAX + 1)]),
        ["begins: 11 messages may come again; at most 10 can be tried with and without"],
    ),
]


@pytest.mark.parametrize(("begins", "lines"), MISTAKES)
def test_what_does_not_fit_is_told_line_by_line(begins: Any, lines: list[str]) -> None:
    with pytest.raises(ModelError) as caught:
        shop(begins=begins)
    assert list(caught.value.mistakes) == lines


# --- what an older class left -------------------------------------------------------------------------------


class Newer(Shop):
    """Knows its last order by a record."""

    states = ("open", "waiting")
    lines: tuple[Line, ...] = ()
    taken: Line | None = None

    @staticmethod
    def migrate(state: str, fields: Mapping[str, Value]) -> tuple[str, Mapping[str, Value]]:
        last = fields.pop("old", None)  # type: ignore[attr-defined]
        return {"busy": "waiting"}.get(state, state), {**fields, **({"taken": Line(last)} if last else {})}


def test_the_class_says_what_becomes_of_what_an_older_one_left() -> None:
    state, fields = migrated(Newer(), "busy", {"old": 7, "last": 1})
    assert (state, fields["taken"], fields["last"]) == ("waiting", Line(7), 1)
    assert migrated(Newer(), state, fields) == (state, fields)
    begins = Persisted({"shop": Persisting("busy", {"old": 7})})
    assert start_of(System({"shop": Newer()}, begins=begins), "shop").taken == Line(7)


def test_a_system_that_is_changed_again_asks_it_again_in_vain() -> None:
    system = System({"shop": Newer()}, begins=Persisted({"shop": Persisting("busy", {"old": 7})}))
    assert system.with_(faults="drop:1").begins == system.begins


def test_a_plain_method_of_that_name_is_a_callback() -> None:
    class Mover(Process):
        states = ("a", "b")
        must = ("go",)
        transitions = ({"trigger": "go", "source": "a", "dest": "b", "after": "migrate"},)

        def migrate(self) -> None:
            pass

    assert not migrates(Mover)
    assert migrates(Newer)
    assert start_of(System({"p": Mover()}, begins=Persisted({"p": Persisting("b")})), "p").state == "b"


class Restless(Shop):
    @classmethod
    def migrate(cls, state: str, fields: dict[str, Value]) -> tuple[str, dict[str, Value]]:
        return state, {**fields, "last": (fields.get("last") or 0) + 1}


class Broken(Shop):
    @staticmethod
    def migrate(state: str, fields: dict[str, Value]) -> Any:
        return fields["none"]


class Silent(Shop):
    @staticmethod
    def migrate(state: str, fields: dict[str, Value]) -> Any:
        return None


class Floating(Shop):
    @staticmethod
    def migrate(state: str, fields: dict[str, Value]) -> Any:
        return state, {"last": 1.5}


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        (
            Restless,
            "Restless.migrate changes what it has made itself: it must leave a state and fields of its own class as they "
            "are, since it is asked at every start",
        ),
        (Broken, "Broken.migrate failed with KeyError: 'none'"),
        (Silent, "Silent.migrate returns a NoneType; expected a state and its fields, (str, dict)"),
        (
            Floating,
            "Floating.migrate: field last: 1.5 (float) is not a value: use an integer (of a smaller unit) or a ratio of two",
        ),
    ],
)
def test_a_migration_that_goes_wrong_is_told(kind: type[Shop], line: str) -> None:
    with pytest.raises(ModelError) as caught:
        migrated(kind(), "open", {"last": 1})
    assert list(caught.value.mistakes) == [line]


def test_a_migration_that_is_not_asked_twice_would_go_on_changing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migration, "_same", lambda one, other: True)
    first = migrated(Restless(), "open", {"last": 1})
    assert first != migrated(Restless(), *first)


# --- what is judged -----------------------------------------------------------------------------------------


def test_a_monitor_that_missed_what_came_before_would_report_what_is_no_violation() -> None:
    finding = check(shop(begins=HALF)).finding
    assert finding is not None
    assert (finding.property, finding.message) == ("effects", "7 was applied but never accepted")


def test_so_it_is_left_out() -> None:
    system = begun_from(shop(), HALF)
    assert list(system.monitors) == []
    assert check(system).finding is None
    assert "not judged, as nothing was persisted of it: effects" in beginning_words(system)


def test_a_monitor_that_was_persisted_is_judged() -> None:
    sound = Persisted({"shop": WAITING, "effects": Persisting("owing", {"accepted": frozenset({7})})})
    assert check(begun_from(shop(), sound)).finding is None
    wrong = Persisted({"shop": WAITING, "effects": Persisting("settled", {"applied": frozenset({7})})})
    finding = check(begun_from(shop(), wrong)).finding
    assert finding is not None
    assert finding.message == "7 was applied twice"


def test_where_no_process_is_known_the_monitors_have_missed_nothing() -> None:
    assert list(begun_from(shop(), Persisted({}, [ORDER])).monitors) == ["effects"]


def reading(name: str = "none lost") -> Any:
    return always(name, lambda effects: True, reads=("effects",))


def test_a_property_that_reads_such_a_monitor_is_left_out_too() -> None:
    system = begun_from(shop(properties=(reading(),)), HALF)
    assert [prop.name for prop in system.properties] == []
    assert system.begins is not None
    assert system.begins.left_out == ("effects", "none lost")


def test_what_was_asked_for_and_cannot_be_judged_is_a_mistake() -> None:
    with pytest.raises(
        ModelError, match="properties: effects cannot be judged from a persisted state that says nothing of"
    ):
        begun_from(shop().judging("effects"), HALF)
    bound = within("few", lambda effects: True, reads=("effects",))
    with pytest.raises(ModelError, match="the bound few reads effects, of which nothing was persisted"):
        begun_from(shop(within=bound), HALF)


def test_a_begun_system_may_be_judged_by_less() -> None:
    sound = Persisted({"shop": WAITING, "effects": Persisting("owing", {"accepted": frozenset({7})})})
    some = sometimes("a sale", lambda shop: bool(shop.lines), reads=("shop",))
    system = begun_from(shop(properties=(some,)), sound).judging("a sale")
    assert system.begins is not None
    assert (list(system.monitors), list(system.begins.locals)) == ([], ["shop"])
    assert check(system).finding is None


# --- words --------------------------------------------------------------------------------------------------


def test_the_words_say_what_was_assumed() -> None:
    goal = sometimes("a sale", lambda shop: bool(shop.lines), reads=("shop",))
    persisted = Persisted({"shop": WAITING}, [(*ORDER, True), ("buyer", "shop", Order(2))], notes=("read from r",))
    system = begun_from(shop(properties=(goal,)), persisted)
    assert beginning_words(system) == [
        "with what was persisted of shop in waiting; buyer as at the start",
        "2 messages in flight (1 may come again); fault budgets are whole",
        "not judged, as nothing was persisted of it: effects",
        "read from r",
        "what came before is not known, and does not count for: a sale",
    ]
    assert beginning_data(system) == {
        "persisted": {"shop": "waiting"},
        "initial": ["buyer"],
        "in_flight": 2,
        "may_come_again": 1,
        "budgets": "whole",
        "left_out": ["effects"],
        "notes": ["read from r"],
    }
    assert check(system).assumed == "it begins where it was persisted"


def test_of_a_system_that_begins_at_its_start_there_is_nothing_to_say() -> None:
    assert (beginning_words(shop()), beginning_data(shop()), check(shop()).assumed) == ([], None, "")


# --- groups, updates, and the fuzz --------------------------------------------------------------------------


class Peer(Process):
    states = ("a", "b")
    must = ("go",)
    transitions = ({"trigger": "go", "source": "a", "dest": "b"},)


def peers(**parts: Any) -> System:
    names = ("p", "q", "r")
    return System({name: Peer() for name in names}, interchangeable=(names,), **parts)


def test_processes_that_do_not_begin_alike_are_not_interchanged() -> None:
    alike, apart = check(peers(), reduce=True), check(peers(begins=Persisted({"q": Persisting("b")})), reduce=True)
    assert alike.reduced is not None
    assert apart.reduced is not None
    assert (alike.states, apart.states) == (4, 4)
    assert "symmetry" in " ".join(alike.reduced.applied)
    assert "how the system begins" in " ".join(apart.reduced.off)


def test_to_take_them_for_alike_would_lose_states(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Claims, "start", lambda self: None)
    assert check(peers(begins=Persisted({"q": Persisting("b")})), reduce=True).states == 3


def test_processes_that_begin_alike_where_they_were_persisted_are() -> None:
    begins = Persisted({name: Persisting("b") for name in ("p", "q", "r")})
    assert check(peers(begins=begins), reduce=True).states == 1


def test_a_fuzz_begins_there_too() -> None:
    assert fuzz(shop(begins=HALF), schedules=20, engine="plain").found[0].property == "effects"
    assert fuzz(begun_from(shop(), HALF), schedules=20, engine="plain").found == []
