"""Another process with a journal: `python -m tests.host.journaling WHAT WHERE`. It says what it did, a line each, and waits
for a line of its standard input wherever somebody may want to end it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from sim.base.errors import SimError
from sim.host.journal import Journal, open_journal
from sim.host.journal_records import Entry, Kept, Line, Mail

ROOT = Path(__file__).parents[2]


def entry(n: int, *, session: str = "s", taken: Mail | None = None, to: str = "b", text: str = "") -> Entry:
    """What line `n` changes: a machine, a message that it sends, a payload."""
    sent = Mail(n << 10, session, "a", to, {"@": "Ask", "n": n}, None, ("h",) if text else (), f"l/{n}", 10 * n)
    return Entry(
        session,
        machines={"a": Kept("on", {"n": n}, {"t": 5 * n}, "m.A")},
        lines=[Line(n, session, "a", {"input": {"move": "go"}, "outputs": []}, 10 * n)],
        taken=taken,
        sent=[sent],
        texts={"h": text} if text else {},
    )


def hold(where: str) -> None:
    with open_journal(where) as journal:
        journal.database.hold()
        _say("held")


def write(where: str) -> None:
    """Inputs as fast as it can, each said once it is kept."""
    with open_journal(where) as journal:
        journal.database.hold()
        if not journal.sessions():
            journal.begin("s", {}, entry(1), 1)
        while True:
            (mail,) = journal.mail("s")
            journal.keep(entry(journal.lines + 1, taken=mail))
            print(journal.lines, flush=True)


def in_the_middle(where: str) -> None:
    """Half of an input, and then nothing."""
    with open_journal(where) as journal:
        journal.database.hold()
        with journal.database.writing() as change:
            assert change.rows("SELECT 1") is not None
            change.do("INSERT INTO wish VALUES (?, ?, ?, ?)", 1, "s", "move", "{}")
            change.rows("SELECT 1")
            _say("half")


def wishes(where: str) -> None:
    with open_journal(where) as journal:
        for number in range(50):
            journal.wish("s", "move", number=number)
    _say("done")


def lines_of(journal: Journal, session: str = "s") -> list[int]:
    return [line.n for line in journal.trace(session)]


def _say(line: str) -> None:
    print(line, flush=True)
    sys.stdin.readline()


def beside(what: str, where: str) -> AbstractContextManager[subprocess.Popen[str]]:
    """This in another process."""
    return started("tests.host.journaling", what, where)


@contextmanager
def started(module: str, *words: str) -> Iterator[subprocess.Popen[str]]:
    """Another process, killed in the end."""
    path = os.pathsep.join([str(ROOT), str(ROOT / "sim/beside"), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-m", module, *words]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": path}, text=True, **pipes) as process:  # type: ignore[call-overload]
        try:
            yield process
        finally:
            process.kill()


def said(process: subprocess.Popen[str]) -> str:
    """Its next line."""
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line or process.poll() is None or process.stderr is None, process.stderr.read()
    return line.strip()


if __name__ == "__main__":
    try:
        {"hold": hold, "write": write, "in_the_middle": in_the_middle, "wishes": wishes}[sys.argv[1]](sys.argv[2])
    except SimError as error:
        print(f"error: {error}", flush=True)
