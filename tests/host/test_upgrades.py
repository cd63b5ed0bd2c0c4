"""A session that one version of the code has left, and another goes on with."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from sim.host import hosted_session, taken_over
from tests.host.hosting_commands import Sim, data_of, kept, looking, sim

__all__ = ["sim"]

CODE = '''
from sim import Accepted, Applied, EffectLedger, Message, Process, System


class Order(Message):
    key: int


class Customer(Process):
    """Orders what it is told to, one after the other."""

    states = ("idle", "waiting")
    may = ("order",)
    durable = ("ordered",)
    transitions = (
        {"trigger": "order", "source": "idle", "dest": None, "after": "ask"},
    )

    ordered: int = 0

    def ask(self):
        self.emit(Accepted(self.ordered + 1), ordered=self.ordered + 1)
        self.send("stock", Order(self.ordered))


class Stock(Process):
    states = ("open",)
    durable = ("sold",)
    transitions = (
        {"trigger": Order, "source": "open", "dest": None, "after": "sell"},
    )

    sold: tuple[int, ...] = ()

    def sell(self, order):
        self.emit(Applied(order.key), sold=(*self.sold, order.key))


def system():
    return System({"customer": Customer(), "stock": Stock()}, monitors={"effects": EffectLedger()})
'''
TARGET = ("host", "shop", "--config", "c.yaml", "--journal", "j.db")


def write(*changes: tuple[str, str]) -> None:
    """The next version of the model."""
    code = CODE
    for old, new in changes:
        assert old in code, old
        code = code.replace(old, new)
    Path("shop.py").write_text(code)
    sys.modules.pop("shop", None)


@pytest.fixture
def sold(sim: Sim, monkeypatch: pytest.MonkeyPatch) -> Sim:
    """A session of the first version that has sold once, and stopped."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    Path("pyproject.toml").write_text('[tool.roundsim]\nmodels = ["shop"]\n')
    write()
    Path("c.yaml").write_text(
        json.dumps({"session": "plan", "until": {"customer": "waiting"}, "limits": {"for": "100ms"}})
    )
    assert sim(*TARGET)[0] == 4
    assert sim("move", "1", "order")[0] == 0
    assert sim("resume", "1")[0] == 4
    assert fields() == {"customer": {"ordered": 1}, "stock": {"sold": [1]}}
    return sim


def fields() -> dict[str, Any]:
    return {name: one.fields for name, one in kept()[1].items() if one.role == "here"}


def goes_on(sim: Sim) -> dict[str, Any]:
    """What the machines hold once the new version has gone on and sold again."""
    assert sim("move", "1", "order")[0] == 0
    status, _, err = sim("resume", "1")
    assert (status, err) == (4, "")
    return fields()


SOLD: str = "    sold: tuple[int, ...] = ()\n"
FILED = ('"sold"', '"filed"'), (SOLD, "    filed: tuple[int, ...] = ()\n"), ("sold=(*self.sold,", "filed=(*self.filed,")
MIGRATES = """
    @staticmethod
    def migrate(state, fields):
        return state, {"filed": fields.pop("sold", fields.get("filed"))}
"""


def test_a_new_field_takes_its_default(sold: Sim) -> None:
    write((SOLD, SOLD + "    shelves: int = 7\n"), ('durable = ("sold",)', 'durable = ("sold", "shelves")'))
    assert goes_on(sold) == {"customer": {"ordered": 2}, "stock": {"sold": [1, 2], "shelves": 7}}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            ((SOLD, SOLD + "    shelves: int\n"), ('durable = ("sold",)', 'durable = ("sold", "shelves")'),
             ('"stock": Stock()', '"stock": Stock(shelves=1)')),
            "stock: nothing was persisted for the field 'shelves', which has no default: give it one; Stock.migrate may say",
        ),
        (FILED, "stock: unknown field 'sold': use filed; Stock.migrate may say what becomes of it"),
        (((SOLD, '    sold: str = ""\n'), ("(*self.sold, order.key)", '""')), "stock: Stock.sold is (1,) (tuple); expected str"),
        (
            (*FILED, (SOLD.replace("sold", "filed"), SOLD.replace("sold", "filed") + MIGRATES.replace("pop", "nothing"))),
            "stock: Stock.migrate failed with AttributeError: ",
        ),
    ],
    ids=["without a default", "gone", "another type", "a migrate that fails"],
)  # fmt: skip
def test_what_cannot_be_taken_over_is_one_line_and_nothing_is_changed(changes: Any, told: str, sold: Sim) -> None:
    write(*changes)
    before = kept()
    for words in (("resume", "1"), TARGET):
        status, out, err = sold(*words)
        assert (status, out, err.count("\n")) == (2, "", 1), (out, err)
        assert ": session plan: " in err
        assert told in err
    assert kept() == before
    write()
    assert goes_on(sold) == {"customer": {"ordered": 2}, "stock": {"sold": [1, 2]}}


def test_migrate_says_what_becomes_of_what_is_gone(sold: Sim) -> None:
    write(*FILED[:1], (SOLD, SOLD.replace("sold", "filed") + MIGRATES), FILED[2])
    assert goes_on(sold) == {"customer": {"ordered": 2}, "stock": {"filed": [1, 2]}}
    assert goes_on(sold)["stock"] == {"filed": [1, 2, 3]}, "what it has made itself it leaves as it is"


def as_killed(state: str) -> None:
    """The journal is as a host leaves it that was killed: the stock is in this state."""
    with looking() as journal, journal.database.writing() as change:
        change.do("UPDATE machine SET state = ? WHERE process = 'stock'", state)


ELSEWHERE = ('states = ("open",)', 'states = ("ready",)'), ('"source": "open"', '"source": "ready"')


def test_a_state_that_is_gone_is_refused_unless_migrate_says_where_it_stands(sold: Sim) -> None:
    as_killed("open")
    write(*ELSEWHERE)
    before = kept()
    status, out, err = sold("resume", "1")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert "session plan: stock: unknown state 'open': use ready; Stock.migrate may say what becomes of it\n" in err
    assert kept() == before
    write(*ELSEWHERE, (SOLD, SOLD + MIGRATES.replace("state, {", "'ready', {").replace("filed", "sold")))
    assert goes_on(sold)["stock"] == {"sold": [1, 2]}


def test_where_a_machine_was_that_a_host_has_stopped_does_not_matter(sold: Sim) -> None:
    write(*ELSEWHERE)
    assert goes_on(sold)["stock"] == {"sold": [1, 2]}


def test_a_new_version_that_loses_a_message_in_flight_is_refused(sold: Sim, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as slow:
        slow.setattr(hosted_session.HostedSession, "deliverable", lambda self, target: [])
        assert goes_on(sold)["customer"] == {"ordered": 2}
    write(("class Order", "class Request"), ("Order(self", "Request(self"), ('"trigger": Order', '"trigger": Request'))
    before = kept()
    status, out, err = sold("resume", "1")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert "session plan: a message in flight from customer to stock: unknown class 'Order'" in err
    assert kept() == before


SELLS_WHAT_IS_NEW = (
    ('{"trigger": Order, "source": "open", "dest": None, "after": "sell"}',
     '{"trigger": Order, "source": "open", "dest": None, "conditions": "is_early", "after": "sell"}'),
    ("    def sell(self", "    def is_early(self, order):\n        return order.key < 2\n\n    def sell(self"),
    ('"source": "idle", "dest": None, "after": "ask"', '"source": "idle", "dest": "waiting", "after": "ask"'),
)  # fmt: skip
"""Sound for a customer that begins: it orders once. One that has ordered before orders what the stock does not know."""


def test_what_only_the_new_code_does_wrong_is_found_before_anything_is_hosted(sold: Sim) -> None:
    write(*SELLS_WHAT_IS_NEW)
    before = kept()
    assert sold("check", "shop", "--model", "shop")[0] == 0, "from its beginning it is sound"
    checked = data_of(sold, "check", "shop", "--model", "shop", "--from", "j.db", status=1)
    assert checked["violation"]["property"] == "unhandled"
    assert "Order(key=2)" in checked["violation"]["message"]
    assert kept() == before
    assert sold("move", "1", "order")[0] == 0
    status, out, _ = sold("resume", "1")
    assert status == 1, "and so it would have gone"
    assert "unhandled Order in state open of stock: Order(key=2)" in out


def test_a_host_that_changes_something_before_it_looks_would_be_seen(
    sold: Sim, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taken_over, "_lost", lambda *_: ())
    with pytest.raises(AssertionError):
        test_a_new_version_that_loses_a_message_in_flight_is_refused(sold, monkeypatch)
