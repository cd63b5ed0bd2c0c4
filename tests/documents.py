"""Runs the documents: every file block is written, every console block is run, and its output compared.

`python -m tests.documents [FILE...]` writes the output that the commands give today into the documents. An example
(docs/examples/NAME/README.md) has to be named, and wants the environment of `make test-libraries`.

In a document `<!-- file: NAME -->` before a fenced block makes it a file; a fenced `console` block holds
commands behind `$ `, each followed by its output; any other `python` block is run as a program, whose output is
the `text` block behind it. All blocks of a document share one empty folder, in which `scenarios` is ours.
Durations and rates are not compared.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
PAGES = [
    path
    for path in DOCUMENTS
    if path == ROOT / "README.md" or path.name in ("tutorial.md", "live_tutorial.md") or path.parent.name == "guide"
]
"""What a newcomer follows: run with nothing but the wheel, in an environment of its own."""
EXAMPLES = [path for path in DOCUMENTS if path.match("examples/*/README.md")]
"""Each is run in a copy of its folder, with libraries that are installed for `make test-libraries` alone: its file blocks are
the files that stand beside it."""
FOUND = "explored-main.yaml"
"""What the commands of an example find."""

_BLOCK = re.compile(r"(?:<!-- file: (?P<name>\S+) -->\n)?```(?P<kind>\w*)\n(?P<text>.*?)^```$", re.M | re.S)
_TIMES = re.compile(
    r"\d[\d,.]* (?:ms|s|min|states/s|schedules/s|steps/s)\b|(?<=passed in )[\d.]+s|(?<=failed in )[\d.]+s"
)
MAKE_RUN = "sim run scenarios/consensus/round.yaml"
"""What `make run` does behind its set-up; a house test holds the Makefile to it."""


@dataclass(frozen=True)
class Command:
    """A command of a document, the output it has there, and the one it gives."""

    line: str
    expected: str
    actual: str


def run_document(text: str, folder: Path, scripts: Path | None = None) -> Iterator[Command]:
    """Writes and runs the blocks of a document in `folder`, with the commands of `scripts` (else those of this
    environment)."""
    scripts = scripts or Path(sys.executable).parent
    (folder / "scenarios").symlink_to(ROOT / "scenarios")
    for block in _BLOCK.finditer(text):
        if block["name"]:
            path = folder / block["name"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block["text"])
        elif block["kind"] == "console":
            for part in re.split(r"^(?=\$ )", block["text"], flags=re.M):
                line, _, expected = part.partition("\n")
                if line.startswith("$ "):
                    yield Command(line[2:], expected, _run(line[2:], folder, scripts))
        elif block["kind"] == "python":
            command = f"python - <<'END'\n{block['text']}END"
            behind = _BLOCK.match(text, block.end() + 2)
            expected = behind["text"] if behind and behind["kind"] == "text" else ""
            yield Command(command, expected, _run(command, folder, scripts))


def unread(text: str) -> list[str]:
    """The blocks of a document that `run_document` neither runs nor compares, by their first lines."""
    found, output = [], -1
    for block in _BLOCK.finditer(text):
        if not block["name"] and block["kind"] not in ("console", "python") and block.start() != output:
            found.append(block["text"].partition("\n")[0])
        output = block.end() + 2 if block["kind"] == "python" and not block["name"] else -1
        if output >= 0 and not text.startswith("```text", output):
            output = -1
    return found


def _run(line: str, folder: Path, scripts: Path) -> str:
    line = MAKE_RUN if line == "make run" else line
    ours = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    environment = {**ours, "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}", "CI": "1"}
    if "|" not in line:  # a pipe is no terminal
        environment["COLUMNS"] = "100"
    environment["PYTEST_ADDOPTS"] = "-p no:asyncio"  # it is here for our own tests, and warns
    done = subprocess.run(
        ["/bin/sh", "-c", line], cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    return done.stdout + done.stderr


def comparable(output: str) -> str:
    """An output without what differs from run to run; a rate that was too short to tell is left out of it."""
    return re.sub("…(, …)+", "…", _TIMES.sub("…", output)).rstrip()


def updated(text: str, folder: Path) -> str:
    """The document with the output that its commands give."""
    commands = [*run_document(text, folder)]
    outputs = iter([command.actual for command in commands])
    pending: list[str] = []

    def fill(block: re.Match[str]) -> str:
        if not block["name"] and block["kind"] == "python":
            pending[:] = [next(outputs)]
            return block[0]
        if block["kind"] == "text" and pending:
            return f"```text\n{pending.pop()}```"
        if block["name"] or block["kind"] != "console":
            return block[0]
        lines = [line for line in block["text"].splitlines() if line.startswith("$ ")]
        filled = "\n".join(f"{line}\n{next(outputs)}".rstrip() + "\n" for line in lines)
        return f"```console\n{filled}```"

    return _BLOCK.sub(fill, text)


def quoted(text: str, folder: Path) -> str:
    """The document with its file blocks as the files of `folder` are; a file that is not there is the document's own."""

    def fill(block: re.Match[str]) -> str:
        path = folder / (block["name"] or "")
        if not path.is_file():
            return block[0]
        return f"<!-- file: {block['name']} -->\n```{block['kind']}\n{path.read_text()}```"

    return _BLOCK.sub(fill, text)


def copied(example: Path, folder: Path) -> Path:
    """A copy of an example, where it can be run."""
    return Path(
        shutil.copytree(example.parent, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    )


def main() -> None:
    for path in [*map(Path.absolute, map(Path, sys.argv[1:]))] or [path for path in DOCUMENTS if path not in EXAMPLES]:
        folder = Path(tempfile.mkdtemp())
        text = path.read_text()
        if path in EXAMPLES:
            text = quoted(text, copied(path, folder))
        try:
            path.write_text(updated(text, folder))
            if path in EXAMPLES:
                shutil.copy(folder / FOUND, path.parent)
        finally:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
