"""A council of `models.consensus` is killed again and again, on both databases: it goes on until it has decided all, each
artifact is applied once, and its log is a path of the model."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from models.consensus import system
from sim.conform.conformance import JudgedLog, Judging
from sim.conform.logged import read_logs
from sim.host.host_log import faults_of, log_text
from sim.host.journal import Journal, open_journal
from tests.host.council import AGENTS
from tests.host.journaling import said, started

ROUNDS = 3
KILLS = (1, 3, 2)
"""After how many answers each host is killed; less than all that are asked for."""


def applied(journal: Journal) -> list[tuple[object, ...]]:
    """The artifacts that the store has applied, in their order."""
    puts = [put for line in journal.trace("s") for put in line.said["outputs"]]
    emitted = [put["emit"] for put in puts if "emit" in put]
    return [tuple(one["fields"]["key"]) for one in emitted if one["name"] == "Applied"]


def judged(journal: Journal, path: Path) -> JudgedLog:
    """What the model says of the log of a journal."""
    path.write_text("".join(log_text(journal, "s")))
    config = journal.sessions()["s"][0]
    allowed = system(**config).with_(faults=faults_of(journal.trace("s")))
    (run,) = read_logs([str(path)]).runs.values()
    return Judging(allowed, hints=False).judge(run)


def killed_and_resumed(where: str) -> None:
    """The council to its end, by hosts of which all but the last are killed."""
    for kill in KILLS:
        with started("tests.host.council", where, str(ROUNDS), "slowly") as process:
            assert process.stdin is not None
            for _ in range(kill):
                assert said(process).startswith("asked ")
                process.stdin.write("go on\n")
                process.stdin.flush()
    with started("tests.host.council", where, str(ROUNDS)) as process:
        while (line := said(process)).startswith("asked "):
            pass
        assert line == "session over"
        assert process.wait() == 0


def test_a_council_that_is_killed_again_and_again_decides_all_once_and_its_log_conforms(
    where: str, tmp_path: Path
) -> None:
    killed_and_resumed(where)
    with open_journal(where, "models.consensus", fresh=False) as journal:
        assert applied(journal) == [("run-1", number, "validate") for number in range(1, ROUNDS + 1)]
        assert faults_of(journal.trace("s")).count("crash:") == 3
        answers = [call for call in journal.calls("s") if call[3] is not None]
        taken = [line for line in journal.trace("s") if line.process in AGENTS and "texts" in line.said]
        assert [call[4] for call in answers] == [line.n for line in taken], "each answer is kept with its line"
        texts = [digest for line in taken for digest in line.said["texts"]]
        assert len(journal.texts(texts)) == len(set(texts)) >= ROUNDS * len(AGENTS)
        assert judged(journal, tmp_path / "log.jsonl").verdict == "ok"


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The journal of a council that was killed and has come to its end."""
    path = tmp_path_factory.mktemp("ended") / "run.db"
    killed_and_resumed(str(path))
    return path


@pytest.mark.parametrize(
    "spoilt",
    [
        "UPDATE trace SET line = replace(line, '\"crash\":true', '\"restart\":true')",
        'DELETE FROM trace WHERE line LIKE \'%"emit":{"name":"Applied"%\'',
        'UPDATE trace SET line = replace(line, \'"message":"Stored"\', \'"message":"NotStored"\')',
    ],
)
def test_a_log_of_what_was_not_so_does_not_conform(ended: Path, tmp_path: Path, spoilt: str) -> None:
    own = tmp_path / "run.db"
    own.touch(0o600)
    shutil.copyfile(ended, own)
    with open_journal(str(own), "models.consensus", fresh=False) as journal:
        assert judged(journal, tmp_path / "log.jsonl").verdict == "ok"
        with journal.database.writing() as change:
            change.do(spoilt)
        assert judged(journal, tmp_path / "log.jsonl").verdict == "violated"
