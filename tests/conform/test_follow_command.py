"""`sim conform --follow`, in a process of its own beside whoever writes the log."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sim.base.errors import ExitStatus
from sim.cli import call
from sim.graph.graph import Graph
from sim.scenario import load_target
from tests.conform.judged import WHOLE, observed, trace_of

HEAD = '{"roundsim_log": 1, "model": "models.two_phase_commit"}'
MODEL = ("--model", "models.two_phase_commit")


@pytest.fixture(scope="module")
def lines() -> list[str]:
    graph = Graph(load_target("models.two_phase_commit").system)
    return [json.dumps(line) for line in observed(trace_of(graph, 5, 30), None, WHOLE)]


def wrong(lines: list[str]) -> list[str]:
    """These lines, one of them with a state that nobody has there."""
    at = next(at for at, line in enumerate(lines) if '"deliver"' in line)
    return [*lines[:at], json.dumps({**json.loads(lines[at]), "state": "elsewhere"}), *lines[at + 1 :]]


class Followed:
    """A command that follows a log which the test writes."""

    def __init__(self, folder: Path, log: str, *more: str) -> None:
        words = [sys.executable, "-m", "sim", "conform", log, *MODEL, "--follow", "--out", str(folder / "out"), *more]
        self.process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder
        )

    def end(self) -> tuple[int, str, str]:
        """Its exit status and what it said."""
        out, err = self.process.communicate(timeout=120)
        return self.process.returncode, out, err

    def has_read(self, path: Path) -> bool:
        """Waits until it has read all that is in the file; whether it still lives then."""
        while self.process.poll() is None:
            for file in Path(f"/proc/{self.process.pid}/fd").iterdir():
                with contextlib.suppress(FileNotFoundError):
                    if os.path.samefile(file, path) and self._place(file.name) == path.stat().st_size:
                        return True
            time.sleep(0.05)
        return False

    def _place(self, file: str) -> int:
        told = Path(f"/proc/{self.process.pid}/fdinfo/{file}").read_text()
        return int(told.split()[1])


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Callable[..., Followed]]:
    begun: list[Followed] = []

    def started(log: str, *more: str) -> Followed:
        begun.append(Followed(tmp_path, log, *more))
        return begun[-1]

    yield started
    for one in begun:
        if one.process.poll() is None:
            one.process.kill()
        one.process.communicate()


Begin = Callable[..., Followed]


def test_a_file_that_grows_is_judged_until_it_is_interrupted(lines: list[str], begin: Begin, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(HEAD + "\n" + "\n".join(lines[:5]) + "\n" + lines[5][:9])
    followed = begin("a.jsonl", "--json")
    assert followed.has_read(path)
    with path.open("a") as file:
        file.write(lines[5][9:] + "\n" + "\n".join(lines[6:]) + "\n" + '{"process": "man')
    assert followed.has_read(path)
    followed.process.send_signal(signal.SIGINT)
    status, out, err = followed.end()
    said = json.loads(out)
    assert (status, said["verdict"], said["explained"]) == (0, "ok", len(lines)), err
    assert err == "sim: the last line was not finished, and is not judged\n"
    assert call(["run", str(tmp_path / said["scenario"])]) == 0


def test_a_mismatch_ends_it_at_once(lines: list[str], begin: Begin, tmp_path: Path) -> None:
    bad = wrong(lines)
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join([HEAD, *bad]) + "\n")
    status, out, err = begin("a.jsonl", "--json", "--html").end()  # nobody interrupts it, and the file does not end
    said = json.loads(out)
    assert (status, said["verdict"]) == (1, "violated"), err
    number = next(at for at, line in enumerate(bad, 2) if '"elsewhere"' in line)
    assert (said["line"], said["differs"][0]["log"]) == (number, "elsewhere")
    assert call(["run", str(tmp_path / said["scenario"])]) == 0
    assert (tmp_path / said["scenario"]).with_suffix(".html").exists()


def test_standard_input_is_judged_to_its_end(lines: list[str], begin: Begin) -> None:
    followed = begin("-")
    assert followed.process.stdin is not None
    followed.process.stdin.write("\n".join([HEAD, *lines]))  # the last line has no end, but it is whole
    status, out, err = followed.end()
    assert (status, err) == (0, "")
    assert out.startswith(f"conforms: {len(lines)} of {len(lines)} lines explained")


def test_several_logs_and_runs_are_followed_at_once(lines: list[str], begin: Begin, tmp_path: Path) -> None:
    split: dict[str, list[str]] = {"a.jsonl": [HEAD], "b.jsonl": [HEAD]}
    for run in ("one", "two"):
        for line in map(json.loads, lines):
            file = "a.jsonl" if line["process"] == "manager" else "b.jsonl"
            split[file].append(json.dumps({**line, "run": run}))
    for file, texts in split.items():
        (tmp_path / file).write_text("\n".join(texts) + "\n")
    followed = begin("a.jsonl", "b.jsonl", "--json")
    assert all(followed.has_read(tmp_path / file) for file in split)
    followed.process.send_signal(signal.SIGINT)
    status, out, err = followed.end()
    said = json.loads(out)
    assert (status, [one["verdict"] for one in said["runs"]]) == (0, ["ok", "ok"]), err
    assert said["explained"] == said["lines"] == 2 * len(lines)


def test_a_bound_ends_it(lines: list[str], begin: Begin, tmp_path: Path) -> None:
    alone = [line for line in lines if '"process": "manager"' in line]  # what the others do is silent, and much
    (tmp_path / "a.jsonl").write_text("\n".join([HEAD, *alone]) + "\n")
    status, out, _ = begin("a.jsonl", "--max-nodes", "2").end()
    assert status == ExitStatus.INCOMPLETE
    assert "the bound of 2 nodes was hit" in out


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("{}\n", "-:1: there is no header"),
        (HEAD, "-: no line after the header, so nothing was observed"),
        ("", "-: no line after the header, so nothing was observed"),
        (HEAD + '\n{"process": "manager", "in', "-:2: is not a JSON object; the file ends in the middle of it"),
        (HEAD + "\n" + "x" * (1 << 21), "-:2: is longer than 1048576 bytes"),
        (HEAD + '\n{"process": "managr", "input": {"start": true}}', "did you mean 'manager'"),
    ],
)
def test_what_is_no_log_is_refused_as_it_comes(text: str, what: str, begin: Begin) -> None:
    followed = begin("-")
    assert followed.process.stdin is not None
    with contextlib.suppress(BrokenPipeError):
        followed.process.stdin.write(text)
    status, out, err = followed.end()
    (line,) = err.splitlines()
    assert (status, out) == (ExitStatus.BAD_INPUT, "")
    assert what in line


@pytest.mark.parametrize(
    ("does", "what"),
    [
        (lambda path: os.truncate(path, 20), "became shorter while it was followed"),
        (lambda path: os.unlink(path), "was removed while it was followed"),
        (
            lambda path: os.replace(path.with_name("b.jsonl"), path),
            "was replaced by another file while it was followed",
        ),
    ],
    ids=["truncated", "removed", "rotated"],
)
def test_a_log_that_does_not_only_grow_is_one_line(
    does: Callable[[Path], None], what: str, lines: list[str], begin: Begin, tmp_path: Path
) -> None:
    path = tmp_path / "a.jsonl"
    for one in (path, tmp_path / "b.jsonl"):
        one.write_text("\n".join([HEAD, *lines[:5]]) + "\n")
    followed = begin("a.jsonl")
    assert followed.has_read(path)
    does(path)
    status, out, err = followed.end()
    (line,) = err.splitlines()
    assert (status, out) == (ExitStatus.BAD_INPUT, "")
    assert line.startswith("sim: a.jsonl: ")
    assert what in line


def test_monitors_alone_follow_too(begin: Begin, tmp_path: Path) -> None:
    emits: dict[str, Any] = {"process": "rm1", "input": {"deliver": {"from": "manager", "message": "Abort"}}}
    (tmp_path / "a.jsonl").write_text(HEAD + "\n" + json.dumps(emits) + "\n")
    status, _, err = begin("a.jsonl", "--monitors-only").end()
    assert status == ExitStatus.BAD_INPUT
    assert "has no monitors" in err


def test_a_line_that_waits_leaves_it_open(begin: Begin, tmp_path: Path) -> None:
    told = {"process": "rm1", "input": {"deliver": {"from": "manager", "message": "Abort"}}}
    first = {"process": "manager", "input": {"start": True}}
    (tmp_path / "a.jsonl").write_text("\n".join([HEAD, *map(json.dumps, (first, told))]) + "\n")
    followed = begin("a.jsonl")
    assert followed.has_read(tmp_path / "a.jsonl")
    followed.process.send_signal(signal.SIGINT)
    status, out, err = followed.end()
    assert (status, err) == (ExitStatus.INCOMPLETE, "")
    assert "1 lines wait for lines of other processes that have not come" in out


@pytest.mark.parametrize(
    ("more", "what"),
    [
        (("--strength",), "--strength spoils a log that is whole"),
        (("--workers", "2"), "--workers shares out the runs of a log that is whole"),
    ],
)
def test_what_needs_the_whole_log_is_refused(
    more: tuple[str, ...], what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.jsonl").write_text(HEAD + "\n")
    assert call(["conform", str(tmp_path / "a.jsonl"), *MODEL, "--follow", *more]) == ExitStatus.BAD_INPUT
    assert what in capsys.readouterr().err


def test_a_packed_log_cannot_be_followed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(HEAD.encode()))
    assert call(["conform", str(tmp_path / "a.jsonl.gz"), *MODEL, "--follow"]) == ExitStatus.BAD_INPUT
    assert "is packed, and cannot be followed; pipe it: zcat" in capsys.readouterr().err
