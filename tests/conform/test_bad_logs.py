"""What is wrong with a log is one clear line, and exit status 2."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from sim.base.errors import ExitStatus
from sim.cli import call
from sim.conform import logged
from sim.conform.log_schema import json_schema
from tests.conform.judged import log_file

ASK: dict[str, Any] = {"process": "manager", "input": {"move": "commit"}}
HEAD = '{"roundsim_log": 1}\n'


def told(path: Path, capsys: pytest.CaptureFixture[str], *more: str) -> str:
    status = call(["conform", str(path), "--model", "models.two_phase_commit", "--out", str(path.parent), *more])
    assert status == ExitStatus.BAD_INPUT
    (line,) = capsys.readouterr().err.splitlines()
    return line


@pytest.mark.parametrize(
    ("lines", "where", "what"),
    [
        ([{**ASK, "process": "managr"}], ":2: ", "did you mean 'manager'"),
        ([{**ASK, "input": {"mve": "commit"}}], ":2: ", "did you mean 'move'"),
        ([{**ASK, "input": {"move": "comit"}}], ":2: ", "did you mean 'commit'"),
        ([{**ASK, "input": {}}], ":2: ", "exactly one of"),
        ([{**ASK, "input": {"move": "commit", "fire": "t"}}], ":2: ", "exactly one of"),
        ([{"process": "manager"}], ":2: ", "input: field required"),
        ([{**ASK, "at": 9}, {**ASK, "at": 8}], ":3: ", "goes back"),
        ([{**ASK, "id": "a"}, {**ASK, "id": "a"}], ":3: ", "stands in"),
        ([{**ASK, "cause": "nowhere"}], ":2: ", "not an id of a line"),
        ([{**ASK, "outputs": [{}]}], ":2: ", "neither a send nor an emit"),
        ([], "", "nothing was observed"),
    ],
)
def test_a_mistake_is_told_with_its_line(
    lines: list[dict[str, Any]], where: str, what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log_file(tmp_path / "a.jsonl", lines)
    line = told(tmp_path / "a.jsonl", capsys)
    assert f"a.jsonl{where}" in line
    assert what in line


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "is empty"),
        (json.dumps(ASK) + "\n", "there is no header"),
        (HEAD + json.dumps(ASK)[:20], "ends in the middle of it"),
        ('{"roundsim_log": 2}\n', "roundsim_log"),
        ('{"roundsim_log": 1, "model": "models.paxos"}\n' + json.dumps(ASK) + "\n", "give --model models.paxos"),
    ],
)
def test_a_file_that_is_no_log_is_refused(
    text: str, what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.jsonl").write_text(text, encoding="utf-8")
    assert what in told(tmp_path / "a.jsonl", capsys)


@pytest.mark.parametrize(
    ("value", "what"),
    [
        ("[" * 9_000, "is nested too deep"),
        ("9" * 5_000, "an integer of too many digits"),
        ("x", "is not a JSON object"),
    ],
)
def test_a_line_that_json_cannot_read_says_why(
    value: str, what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.jsonl").write_text(f'{HEAD}{{"process": "manager", "at": {value}}}\n', encoding="utf-8")
    assert f"a.jsonl:2: {'has ' if 'digits' in what else ''}{what}" in told(tmp_path / "a.jsonl", capsys)


def test_runs_with_names_of_any_length_and_kind_have_a_file_each(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of a wrong run the explained prefix is kept, whatever it is called."""
    first = {"process": "rm1", "input": {"move": "prepare"}}
    names = ["r" * 100_000, "a/b", "a\x1bb", "a-b", "\ud800", "ü" * 300]
    log_file(
        tmp_path / "a.jsonl",
        [{**line, "run": name} for name in names for line in (first, {**first, "state": "s" * 9_000})],
    )
    words = ["conform", str(tmp_path / "a.jsonl"), "--model", "models.two_phase_commit", "--out", str(tmp_path / "out")]
    assert call(words) == ExitStatus.VIOLATED
    assert len(list((tmp_path / "out").iterdir())) == len(names)
    said, err = capsys.readouterr()
    assert err == ""
    assert max(map(len, said.splitlines())) < 2_000


def test_a_line_without_end_is_not_read_to_its_end(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logged, "LINE_MAX", 1000)
    (tmp_path / "a.jsonl").write_text(HEAD + "x" * 5000, encoding="utf-8")
    assert "is longer than 1000 bytes" in told(tmp_path / "a.jsonl", capsys)


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_log_may_come_through_a_pipe(pack: Callable[[bytes], bytes], tmp_path: Path) -> None:
    log_file(tmp_path / "a.jsonl", [ASK])
    data = pack((tmp_path / "a.jsonl").read_bytes())
    os.mkfifo(tmp_path / "pipe")
    with ThreadPoolExecutor() as threads:
        threads.submit((tmp_path / "pipe").write_bytes, data)
        assert logged.read_logs([str(tmp_path / "pipe")]).lines == 1


def test_half_of_a_packed_log_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    packed = gzip.compress((HEAD + json.dumps(ASK) + "\n").encode())
    (tmp_path / "a.jsonl.gz").write_bytes(packed[:-12])
    assert "name a log that is whole" in told(tmp_path / "a.jsonl.gz", capsys)


def test_the_schema_in_the_documentation_is_the_one_that_is_checked() -> None:
    kept = Path(__file__).parents[2] / "docs/log.schema.json"
    assert kept.read_text(encoding="utf-8") == json_schema()
