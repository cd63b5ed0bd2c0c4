"""What is said of a log that does not conform: the line, since where the values parted, what is wrong with its
explanation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sim.conform import parting as module
from sim.conform.conformance import JudgedLog, Judging
from sim.conform.since import Histories
from tests.conform.judged import run_of, system
from tests.conform.small import parcels

ASK: dict[str, Any] = {"process": "client", "input": {"move": "ask"}}


def served(number: int, **more: Any) -> dict[str, Any]:
    arrival = {"from": "client", "message": "Ask", "fields": {"number": number}}
    return {"process": "server", "input": {"deliver": arrival}, **more}


def replied(number: int, **more: Any) -> dict[str, Any]:
    arrival = {"from": "server", "message": "Reply", "fields": {"number": number}}
    return {"process": "client", "input": {"deliver": arrival}, **more}


def answer(folder: Path, *lines: dict[str, Any], judging: Judging | None = None) -> JudgedLog:
    return (judging or Judging(system(2))).judge(run_of(folder / "a.jsonl", lines))


def where(place: Any) -> str:
    """The number of a line, or the words for where there is none."""
    return str(place).rpartition("a.jsonl:")[2]


def test_a_field_parted_where_the_model_gave_it_its_value_not_where_the_log_last_spoke_of_it(tmp_path: Path) -> None:
    first = {**ASK, "fields": {"asked": 1}}  # line 2: both say 1
    found = answer(
        tmp_path, first, served(1), replied(1), ASK, served(2), replied(2, fields={"asked": 1})
    )  # line 5: the model says 2 from here on, and the log nothing until line 7
    (differs,) = found.differs
    assert (found.number, differs["what"], differs["log"], differs["model"]) == (7, "field asked", "1", "2")
    assert (where(differs["agreed"]), where(differs["since"])) == ("2", "5")
    assert any("the model has had that since" in word and word.endswith("a.jsonl:5") for word in found.words)


def test_a_field_that_the_blamed_line_itself_changes_is_said_to(tmp_path: Path) -> None:
    (differs,) = answer(tmp_path, {**ASK, "state": "idle"}).differs
    assert (differs["agreed"], where(differs["since"])) == (None, "2 itself")


def test_a_field_that_nothing_changed_is_as_at_the_start(tmp_path: Path) -> None:
    (differs,) = answer(tmp_path, {**ASK, "fields": {"asks": 5}}).differs
    assert (differs["what"], differs["since"]) == ("field asks", "the start")


def test_a_message_parted_where_it_was_sent(tmp_path: Path) -> None:
    (differs,) = answer(tmp_path, ASK, served(1), replied(3)).differs
    assert (differs["what"], differs["log"], differs["model"], where(differs["since"])) == (
        "message field number",
        "3",
        "1",
        "3",
    )
    unseen = answer(tmp_path, ASK, replied(3)).differs[0]
    assert unseen["since"] == "a step that was not logged"


def test_a_field_of_a_record_is_told_apart_from_its_record(tmp_path: Path) -> None:
    def took(number: int, **fields: Any) -> dict[str, Any]:
        arrival = {"from": "shipper", "message": "Parcel", "fields": {"number": number}}
        return {"process": "depot", "input": {"deliver": arrival}, "fields": fields}

    judging = Judging(parcels())
    found = answer(
        tmp_path,
        {"process": "shipper", "input": {"move": "ship"}},
        took(1, last={"name": "bolt"}),
        took(2, last={"name": "nut", "size": 3}),
        judging=judging,
    )
    (differs,) = found.differs
    assert (differs["what"], differs["log"], differs["model"], where(differs["since"])) == (
        "field last.size",
        "3",
        "2",
        "4 itself",
    )


def test_a_history_that_forgets_steps_would_be_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Histories, "add", lambda *_: None)
    with pytest.raises(AssertionError):
        test_a_field_parted_where_the_model_gave_it_its_value_not_where_the_log_last_spoke_of_it(tmp_path)
    monkeypatch.undo()
    monkeypatch.setattr(module, "sent_at", lambda *_: None)
    with pytest.raises(AssertionError):
        test_a_message_parted_where_it_was_sent(tmp_path)


def test_of_two_starts_that_do_not_fit_together_the_odd_one_is_blamed(tmp_path: Path) -> None:
    def starts(process: str, state: str) -> dict[str, Any]:
        return {"process": process, "input": {"start": True}, "state": state}

    found = answer(tmp_path, starts("server", "up"), starts("client", "waiting"))
    assert (found.number, found.process, found.explained) == (3, "client", 0)
    assert found.differs[0] == {"what": "state", "log": "waiting", "model": "idle", "agreed": None, "since": None}
    assert "the model does not start like that" in found.words[0]


def test_what_violates_a_property_is_told_where_it_does_also_if_the_log_goes_on(tmp_path: Path) -> None:
    judging = Judging(system(2).with_(faults="duplicate:2"))
    for after in ((), (replied(1),), (replied(1), ASK, served(2))):
        found = answer(tmp_path, ASK, served(1), served(1), *after, judging=judging)
        assert (found.verdict, found.finding, found.number) == ("violated", "served_once: 1 is served twice", 4), after
        assert found.schedule is not None
        assert found.schedule[-1] == "deliver client->server Ask(number=1)"
        assert found.words[0].endswith(":4: server: explained, but served_once: 1 is served twice")


def test_where_a_path_violates_nothing_that_one_is_blamed(tmp_path: Path) -> None:
    judging = Judging(system(2).with_(faults="duplicate:2"))
    found = answer(tmp_path, ASK, served(1), replied(2), judging=judging)
    assert (found.finding, found.number) == (None, 4)
    assert found.differs[0]["what"] == "message field number"
