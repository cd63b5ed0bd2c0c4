"""Malformed inputs of every reader, made by key and kind: each is taken, or refused in lines that say so, with nothing
written."""

from __future__ import annotations

import copy
import json
import random
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from itertools import islice, product
from pathlib import Path
from typing import Any

import pytest

from sim.base.files import read_toml
from sim.cli import call
from tests.readers import LOG, READERS, SAID

ROOT = Path(__file__).parents[2]
STATUSES = (0, 1, 2, 4)
"""What may come of a mutant that is not malformed after all, and 2."""

KINDS: dict[str, Any] = {
    "null": None,
    "bool": True,
    "zero": 0,
    "negative": -1,
    "huge": 10**25,
    "digits": 10**4000,
    "float": 1.5,
    "infinite": float("inf"),
    "empty text": "",
    "text": "x",
    "acting text": "\x1b[31m\n\u202e",
    "half": "\ud800",
    "long": "y" * 3_000,
    "list": [],
    "list of lists": [[[]]],
    "list of numbers": [1, 2],
    "mapping": {},
    "mapping of anything": {"a": {"b": [None, 1]}, "": ""},
}


share = pytest.mark.parametrize(
    "step", [pytest.param(3, id="a third"), pytest.param(1, id="all", marks=pytest.mark.soak)]
)
"""Every kind at some places, every place with some kinds; the soak takes all of both."""


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def places(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of everything in a tree; of a long list only what begins it."""
    yield path
    items = data.items() if isinstance(data, dict) else enumerate(data[:2]) if isinstance(data, list) else ()
    for key, value in items:
        yield from places(value, (*path, key))


def changed(data: Any, path: tuple[Any, ...], value: Any) -> Any:
    """The same tree with another value at `path`."""
    if not path:
        return value
    found = copy.deepcopy(data)
    inside = found
    for step in path[:-1]:
        inside = inside[step]
    inside[path[-1]] = value
    return found


def lost(data: Any, path: tuple[Any, ...]) -> Any:
    """The same tree without what is at `path`."""
    found = copy.deepcopy(data)
    inside = found
    for step in path[:-1]:
        inside = inside[step]
    del inside[path[-1]]
    return found


def mutants(data: Any, step: int) -> Iterator[Any]:
    """Each so-manieth tree with a value replaced by some kind, a key lost, or one too many."""
    return islice(_mutants(data), 0, None, step)


def _mutants(data: Any) -> Iterator[Any]:
    for path in places(data):
        yield from (changed(data, path, value) for value in KINDS.values())
        if path:
            yield lost(data, path)
            if isinstance(path[-1], str):
                yield changed(data, (*path[:-1], path[-1] + "x"), 1)


def spoilt(data: bytes, count: int) -> Iterator[bytes]:
    """A text that is cut, or has bytes changed, doubled or swapped."""
    draw = random.Random(len(data))
    odd = (
        b"\0",
        b"\xff",
        b"\xed\xa0\x80",
        b"[",
        b"{",
        b"'",
        b'"',
        b":",
        b"\n",
        b"\t",
        b"9" * 400,
        b"(" * 400,
        b"&a ",
        b"*",
    )
    for number in range(count):
        at = draw.randrange(len(data) + 1)
        other = draw.randrange(len(data) + 1)
        yield (
            data[:at],
            data[:at] + odd[number % len(odd)] + data[at:],
            data[:at] + data[at + 1 :],
            data[:at] + data[other : other + 9] + data[at:],
            data[: min(at, other)] + data[max(at, other) :],
        )[number % 5]


def complaints(words: list[str], file: Path, texts: Iterator[bytes], capfd: pytest.CaptureFixture[str]) -> list[str]:
    """What is wrong with how a command takes these contents of a file. Many are held against it in one test, since a
    test costs more than one of them."""
    wrong: list[str] = []
    for text in texts:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text)
        before = sorted(Path().rglob("*"))
        status = call(words)
        out, err = capfd.readouterr()
        told = [line for line in err.splitlines() if not line.startswith("sim: faults are on")]
        is_refused = status == 2 and out == "" and told and all(line.startswith("sim: ") for line in told)
        if status not in STATUSES or (status == 2 and not is_refused) or (status != 2 and told):
            wrong.append(f"{status} {err[-300:]} {out[:100]!r}, for {text[:200]!r}")
        if status == 2 and sorted(Path().rglob("*")) != before:
            wrong.append(f"something was written for {text[:200]!r}")
    return wrong


def yaml_of(data: Any) -> bytes:
    """As JSON, which is YAML: every kind can be written, a half character as an escape."""
    return json.dumps(data).replace("Infinity", ".inf").encode()


SCENARIO: dict[str, Any] = {
    "model": "models.consensus",
    "description": "d",
    "config": {"agents": 2, "rounds": 1, "stages": ["validate"], "stop": False},
    "network": "any",
    "properties": ["stuck"],
    "faults": ["drop:1@gemini->coordinator", "crash:1@coordinator"],
    "strategy": "virtual_time",
    "seed": 1,
    "timing": {
        "latency": "1ms..9ms",
        "links": {"gemini->*": "1s"},
        "moves": {"coordinator.boot": "1s"},
        "restart": "1s",
    },
    "steps": 40,
    "epoch": "2026-01-01T00:00:00Z",
    "expect": {
        "verdict": "ok",
        "emitted": {"Decided": 0},
        "rejected": {"late": 0},
        "states": {"coordinator": "asking"},
    },
    "metrics": {
        "enabled": True,
        "window": 3,
        "budget_usd": 0.5,
        "models": {"gemini": "m"},
        "prices": {"m": {"input": 3}},
    },
}
SCHEDULED = {"model": "models.paxos", "schedule": ["deliver c0->s0 Put(value=A)", "crash s0"], "then": "stop"}


@share
@pytest.mark.parametrize("data", [SCENARIO, SCHEDULED], ids=["drawn", "scheduled"])
def test_a_scenario_with_anything_anywhere(step: int, data: Any, capfd: pytest.CaptureFixture[str]) -> None:
    assert complaints(["run", "s.yaml"], Path("s.yaml"), map(yaml_of, mutants(data, step)), capfd) == []


@share
def test_a_record_with_anything_anywhere(step: int, capfd: pytest.CaptureFixture[str]) -> None:
    assert call(["run", str(ROOT / "scenarios/consensus/round.yaml"), "--json"]) == 0
    record = json.loads(capfd.readouterr().out)
    texts = (json.dumps(one).encode() for one in mutants(record, step))
    assert complaints(["status", "r.json"], Path("r.json"), texts, capfd) == []


@share
def test_the_session_of_a_program_with_anything_anywhere(step: int, capfd: pytest.CaptureFixture[str]) -> None:
    (text,) = READERS["session"][1]
    texts = (json.dumps(one).encode() for one in mutants(json.loads(text), step))
    assert complaints(["status", "s.json"], Path("s.json"), texts, capfd) == []


@share
def test_a_log_with_anything_anywhere(step: int, capfd: pytest.CaptureFixture[str]) -> None:
    """Each line in its turn, the others as they are; what is no line of the model is told as such."""
    lines = LOG.splitlines()
    texts = (
        b"\n".join([*lines[:number], json.dumps(one).encode(), *lines[number + 1 :]])
        for number in (0, 3, 4)
        for one in mutants(json.loads(lines[number]), step)
    )
    words = ["conform", "l.jsonl", "--model", "models.two_phase_commit", "--set", "resource_managers=1", "--out", "out"]
    assert complaints(words, Path("l.jsonl"), texts, capfd) == []


def toml_of(data: Any) -> str:
    """A value of TOML; it has no null."""
    if isinstance(data, dict):
        return "{" + ", ".join(f"{json.dumps(str(key))} = {toml_of(value)}" for key, value in data.items()) + "}"
    if isinstance(data, list):
        return "[" + ", ".join(map(toml_of, data)) + "]"
    return "inf" if data == float("inf") else json.dumps(data)


def document(data: Any) -> bytes:
    """A document of TOML; where the whole is no table, something that is none."""
    if not isinstance(data, dict):
        return toml_of(data).encode("utf-8", "replace")
    return "".join(f"{json.dumps(key)} = {toml_of(value)}\n" for key, value in data.items()).encode("utf-8", "replace")


STUDY: dict[str, Any] = {
    "title": "t",
    "introduction": "i",
    "tree": [{"name": "a", "placeholder": "A"}, {"name": "b", "placeholder": "B"}],
    "only": ["*"],
    "require": ["f"],
    "earlier": "e",
    "claim": [{"said": "s", "check": "from", "names": ["f"], "trees": ["b"], "answer": "x"}],
    "work": [{"id": "w", "title": "t", "needs": ["f"], "trees": ["b"], "text": "x"}],
    "deferred": [{"id": "d", "title": "t", "hangs_on": "w", "text": "x"}],
    "remark": [{"title": "t", "text": "x"}],
}
PROJECT: dict[str, Any] = {"tool": {"roundsim": {"models": ["own"]}}, "project": {"name": "x"}}
MANIFEST: dict[str, Any] = {
    "package": {"name": "a-b"},
    "lib": {"name": "c"},
    "dependencies": {"d": "1"},
    "target": {"x": {"dependencies": {"e": "1"}}},
}


@share
def test_a_study_with_anything_anywhere(step: int, capfd: pytest.CaptureFixture[str]) -> None:
    for name in ("a", "b"):
        Path(name).mkdir()
        Path(name, "m.py").write_text("def f(): ...\n")
    words = ["surface", "a", "b", "--study", "s.toml"]
    assert complaints(words, Path("s.toml"), map(document, mutants(STUDY, step)), capfd) == []


@share
def test_a_project_file_with_anything_anywhere(step: int, capfd: pytest.CaptureFixture[str]) -> None:
    Path("s.yaml").write_text("model: own\n")
    texts = map(document, mutants(PROJECT, step))
    assert complaints(["run", "s.yaml"], Path("pyproject.toml"), texts, capfd) == []


@share
def test_a_manifest_with_anything_anywhere(step: int, capfd: pytest.CaptureFixture[str]) -> None:
    Path("a/src").mkdir(parents=True)
    Path("a/src/lib.rs").write_text("pub fn f() {}\n")
    assert complaints(["surface", "a", "a"], Path("a/Cargo.toml"), map(document, mutants(MANIFEST, step)), capfd) == []


LONG_KEYS = {
    "bare": "a." * 90_000 + "a = 1",
    "quoted": '"a b".' * 90_000 + "a = 1",
    "spaced": "a . " * 90_000 + "a = 1",
    "literal": "'a'.b." * 90_000 + "a = 1",
    "table": "[" + "a." * 90_000 + "a]",
    "tables": "x = 1\n[[ " + "a." * 90_000 + "a]]",
    "inline": "x = {b = 1, " + "a." * 90_000 + "a = 1}",
}


@pytest.mark.parametrize("kind", LONG_KEYS)
def test_a_key_of_very_many_parts_is_refused_before_it_is_read(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading one takes a time that grows with the square of its parts."""
    with pytest.raises(ValueError, match=r"^a key has more than 64 parts \(at line \d\)$"):
        read_toml(LONG_KEYS[kind].encode())
    monkeypatch.setattr("sim.base.files.tomllib.loads", lambda text: {"read": len(text)})
    monkeypatch.setattr("sim.base.files._LONG_KEY", re.compile("never"))
    assert read_toml(LONG_KEYS[kind].encode()) == {"read": len(LONG_KEYS[kind])}, "nothing else would have refused it"


def test_toml_that_is_long_but_ordinary_is_read() -> None:
    key = ".".join("abcdefgh" * 8)
    text = f"{key} = 1\nlong = '{'a. b ' * 50_000}'\nmore = [{'1.5, ' * 50_000}]\n"
    assert set(read_toml(text.encode())) == {"a", "long", "more"}
    with pytest.raises(ValueError, match=r"^it has 1,048,577 bytes; at most 1,048,576 are read$"):
        read_toml(b"#" * ((1 << 20) + 1))


CELLS = (
    "NULL",
    "-1",
    "9223372036854775807",
    "0.5",
    "''",
    "'x'",
    "CAST(x'FF' AS TEXT)",
    "x'00FF'",
    "'" + "[" * 9_000 + "'",
    "'{}'",
)


@share
def test_a_store_with_anything_anywhere(step: int, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """STRICT tables refuse most of it; a damaged file does not, so the declared types are taken out."""
    words = ["fuzz", "models.paxos", "--schedules", "2", "--workers", "1"]
    assert call(words) == 0
    (file,) = Path(".sim").glob("*.sqlite")
    kept = tmp_path / "kept.sqlite"
    shutil.copy(file, kept)
    with sqlite3.connect(kept) as store:
        store.executescript(
            "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(replace(sql, 'NOT NULL', ''), 'STRICT', '') WHERE type = 'table' AND sql NOT LIKE '%WITHOUT ROWID%'; PRAGMA writable_schema = OFF;"
        )
    store.close()
    columns = [
        (table, column)
        for table in ("session", "part", "chunk")
        for column in [row[1] for row in sqlite3.connect(kept).execute(f"PRAGMA table_info({table})")]
    ]
    capfd.readouterr()
    wrong = []
    for (table, column), cell in islice(product(columns, CELLS), 0, None, step):
        for other in Path(".sim").glob("*.sqlite*"):
            other.unlink()
        shutil.copy(kept, file)
        with sqlite3.connect(file) as store:
            try:
                store.execute(f"UPDATE {table} SET {column} = {cell}")
            except sqlite3.Error:
                continue
            finally:
                store.commit()
        store.close()
        for command in (["sessions", "--all"], ["status", "1", "--json"]):
            status = call(command)
            told = capfd.readouterr().err.splitlines()
            if status not in STATUSES or len(told) != (status == 2):
                wrong.append(f"{command} {table}.{column} = {cell[:20]}: {status} {told}")
    assert "\n".join(wrong) == ""


@pytest.mark.parametrize("name", READERS)
def test_each_reader_takes_what_is_spoilt_or_says_so(name: str) -> None:
    reader, good = READERS[name]
    assert name == "record" or [reader(text) for text in good]
    assert escaped(reader, good, 400 if name in ("scenario", "study") else 1_500) == []


def escaped(reader: Callable[[bytes], object], good: list[bytes], count: int) -> list[str]:
    """What else than it says a reader raises."""
    wrong = []
    for text in good:
        for one in spoilt(text, count // len(good)):
            try:
                reader(one)
            except SAID:
                pass
            except Exception as error:
                wrong.append(f"{type(error).__name__}: {error} for {one[:200]!r}")
    return wrong


def test_a_reader_that_lets_something_through_is_caught() -> None:
    reader, _ = READERS["toml"]

    def careless(data: bytes) -> object:
        if data.count(b"[") > 300:
            raise RecursionError
        return reader(data + b"\0" * (len(data) == 3))

    assert escaped(lambda data: json.loads(data.decode()), [b'{"a": 1}'], 40) != []
    assert escaped(careless, [b"a = " + b"[" * 299 + b"]" * 299], 400) != []


def test_a_command_that_writes_before_it_refuses_is_caught(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(*_: object, **__: object) -> None:
        Path("half").write_text("written")
        raise SAID[0]("no")

    monkeypatch.setattr("sim.cli.run._load", read)
    (wrong,) = complaints(["run", "s.yaml"], Path("s.yaml"), iter([b"model: x"]), capfd)
    assert "something was written" in wrong
