"""Artifacts are written exactly once, whole, and for their owner alone; what would be another is refused."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from models.consensus.messages import Response, Store
from sim.base.errors import ConfigError
from sim.host import artifact_folder
from sim.host.adapter import AdapterError, Question, Text
from sim.host.artifact import ArtifactKeeper
from sim.host.artifact_file import ArtifactFile
from sim.host.artifact_folder import ArtifactFolder

KINDS = {"folder": ArtifactFolder, "sqlite": ArtifactFile}
Made = Callable[..., ArtifactKeeper]


@pytest.fixture(params=KINDS)
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Made:
    """Makes a store of either kind, each time of the same place."""
    return lambda **given: KINDS[request.param](tmp_path / "kept", **given)


def store(verdict: str = "ok", seq: int = 1, session: str = "s1", said: str = "It is fine.") -> Question:
    texts = [
        Text(Response("r", 1, "validate", agent, 1, "ok"), f"{agent}: {said} \udc80", f"hash of {agent}")
        for agent in ("gemini", "claude")
    ]
    message = Store("r", 1, "validate", seq, verdict)
    return Question(session, "store", "coordinator", message, "j1/9", (), texts)


def ask(keeper: ArtifactKeeper, *questions: Question) -> None:
    async def work() -> None:
        await asyncio.gather(*map(keeper.ask, questions))
        await keeper.close()

    asyncio.run(work())


def kept(folder: Path) -> list[dict[str, Any]]:
    """What is in the place, of either kind."""
    place = folder / "kept"
    if place.is_dir():
        found = [json.loads(file.read_text("utf-8")) for file in sorted(place.iterdir())]
        for text in (text for one in found for text in one["texts"]):
            text["text"] = text["text"].encode("utf-8", "backslashreplace").decode()
        return sorted(found, key=lambda one: str(one["key"]))
    rows = sqlite3.connect(place)
    return [
        {
            "key": key,
            "session": session,
            "sender": sender,
            "message": message,
            "fields": json.loads(fields),
            "texts": [
                {"hash": hash_, "message": inner, "fields": json.loads(of), "text": text}
                for inner, of, hash_, text in rows.execute(
                    "SELECT message, fields, hash, text FROM said WHERE key = ? ORDER BY number", (key,)
                )
            ],
        }
        for key, session, sender, message, fields, _ in rows.execute("SELECT * FROM artifact ORDER BY key")
    ]


def test_an_artifact_says_what_was_decided_and_who_said_what(made: Made, tmp_path: Path) -> None:
    ask(made(), store())
    assert kept(tmp_path) == [
        {
            "key": "s1/r/1",
            "session": "s1",
            "sender": "coordinator",
            "message": "Store",
            "fields": {"run": "r", "round": 1, "stage": "validate", "seq": 1, "verdict": "ok"},
            "texts": [
                {
                    "hash": f"hash of {agent}",
                    "message": "Response",
                    "fields": {
                        "run": "r",
                        "round": 1,
                        "stage": "validate",
                        "agent": agent,
                        "attempt": 1,
                        "answer": "ok",
                    },
                    "text": f"{agent}: It is fine. \\udc80",
                }
                for agent in ("claude", "gemini")
            ],
        }
    ]


def test_who_asks_again_finds_the_same_whatever_the_order_of_the_texts(made: Made, tmp_path: Path) -> None:
    first = store()
    again = Question(
        *(getattr(first, name) for name in ("session", "process", "sender", "message")), "j1/12", (), first.texts[::-1]
    )
    ask(made(), first, again, first)
    before = kept(tmp_path)
    ask(made(), again)
    assert kept(tmp_path) == before
    assert len(before) == 1


def test_another_decision_is_another_artifact(made: Made, tmp_path: Path) -> None:
    ask(made(), store(), store(seq=2), store(session="s2"), store(session="s1/r"))
    assert [one["key"] for one in kept(tmp_path)] == ["s1%2Fr/r/1", "s1/r/1", "s1/r/2", "s2/r/1"]


@pytest.mark.parametrize("other", [store("conflict"), store(said="It is not.")])
def test_another_content_of_a_decision_is_refused_and_the_first_stays(
    made: Made, tmp_path: Path, other: Question
) -> None:
    ask(made(), store())
    before = kept(tmp_path)
    with pytest.raises(
        AdapterError, match=r"store: .*kept.* holds another artifact of s1/r/1: a decision was made twice"
    ):
        ask(made(), other)
    assert kept(tmp_path) == before


def test_a_key_that_forgets_the_session_would_be_seen(made: Made, tmp_path: Path) -> None:
    ask(made(), store())
    ask(made(key=["run", "seq", "verdict"]), store("conflict"))
    assert len(kept(tmp_path)) == 2  # by another key the same decision stands there twice


def test_the_key_may_be_a_function_and_has_to_fit(made: Made, tmp_path: Path) -> None:
    ask(made(key=lambda message: f"{message.stage}-{message.round}"), store())
    assert kept(tmp_path)[0]["key"] == "s1/validate-1"
    with pytest.raises(AdapterError, match="store: Store has no number to know a decision by; name the fields"):
        ask(made(key=["run", "number"]), store())
    with pytest.raises(AdapterError, match="store: its key cannot be made: AttributeError"):
        ask(made(key=lambda message: message.number), store())


def test_artifacts_are_for_their_owner_alone(made: Made, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        ask(made(), store())
    finally:
        os.umask(before)
    for path in (tmp_path / "kept", *tmp_path.rglob("kept/*"), *tmp_path.glob("kept-*")):
        assert not stat.S_IMODE(path.lstat().st_mode) & 0o077, path
    (tmp_path / "kept").chmod(0o755)
    with pytest.raises(ConfigError, match="others may read or write it; if it is your own: chmod"):
        made()


def test_a_place_that_is_not_one_is_refused(made: Made, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "kept").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigError, match="is a link"):
        made()
    for kind in KINDS.values():
        with pytest.raises(ConfigError, match="there is no folder"):
            kind(tmp_path / "no" / "kept")


def test_a_database_of_another_program_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "kept"
    sqlite3.connect(file).executescript("CREATE TABLE other (a)")
    file.chmod(0o600)
    with pytest.raises(ConfigError, match="is not a file of artifacts; name another file"):
        ArtifactFile(file)


# --- a stop at any moment ---------------------------------------------------------------------------------

STEPS = ("open", "fsync", "link", "unlink")


@pytest.mark.parametrize("step", ["fsync", "link"])
@pytest.mark.parametrize("number", [1, 2])
def test_a_stop_at_any_step_leaves_nothing_or_all_and_the_next_try_ends_it(
    step: str, number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = 0
    real = getattr(os, step)

    def stopping(*given: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == number:
            raise KeyboardInterrupt
        return real(*given)

    monkeypatch.setattr(artifact_folder.os, step, stopping)
    keeper = ArtifactFolder(tmp_path / "kept")
    artifact = keeper._artifact(store())
    try:
        keeper.write(artifact)
    except KeyboardInterrupt:
        assert len([*(tmp_path / "kept").glob("*.json")]) == (step == "fsync" and number == 2)
    monkeypatch.undo()
    (tmp_path / "kept" / f".{artifact.name}.part").write_text('{"half')  # a kill cleans nothing up
    keeper.write(artifact) if not keeper.file(artifact).exists() else None
    keeper.write(artifact)
    assert json.loads(keeper.file(artifact).read_text("utf-8"))["key"] == "s1/r/1"


def test_the_name_comes_after_the_content_is_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    for name in ("fsync", "link"):
        real = getattr(os, name)
        monkeypatch.setattr(artifact_folder.os, name, lambda *given, n=name, r=real: (order.append(n), r(*given))[1])
    ask(ArtifactFolder(tmp_path / "kept"), store())
    assert order == ["fsync", "link", "fsync"]


def test_without_links_it_is_renamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: Any) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(artifact_folder.os, "link", refused)
    ask(ArtifactFolder(tmp_path / "kept"), store(), store())
    assert len(kept(tmp_path)) == 1


def test_a_full_disk_is_one_line_and_nothing_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    keeper = ArtifactFolder(tmp_path / "kept")
    monkeypatch.setattr(artifact_folder.os, "fsync", full)
    with pytest.raises(
        AdapterError, match=r"store: .*an artifact cannot be written: No space left on device; it is not lost"
    ):
        ask(keeper, store())
    monkeypatch.undo()
    ask(keeper, store())
    assert len(kept(tmp_path)) == 1


def test_a_file_that_another_process_has_locked_is_waited_for_and_one_that_was_damaged_is_told(tmp_path: Path) -> None:
    ask(ArtifactFile(tmp_path / "kept"), store())
    (tmp_path / "kept").write_bytes(b"SQLite format 3\0" + b"x" * 5000)
    with pytest.raises(ConfigError, match=r"kept: .*(damaged|not a file of artifacts)"):
        ArtifactFile(tmp_path / "kept")
