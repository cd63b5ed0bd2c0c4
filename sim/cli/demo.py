"""`sim demo`: a race from nothing to its fix, by the commands that a user would type."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from sim.base import printing
from sim.base.errors import ConfigError, ExitStatus
from sim.base.folded import folded
from sim.base.marked import Meaning, marked
from sim.cli import options
from sim.cli.terminal import width_of_output
from sim.scaffold.demonstration import FIXED, NAME, WRONG, coordinator, council

FILE = f"{NAME}.py"
FOUND = f"counterexamples/{NAME}-counted_once.yaml"
CHECK = ("check", NAME)
REPLAY = ("run", FOUND, "--model", NAME)


@click.command()
@click.option(
    "--keep", metavar="DIR", type=click.Path(), help="Keep the files of the demonstration in this new folder."
)
def command(keep: str | None) -> int:
    """Tell a race from nothing to its fix: a machine, the check that finds what is wrong, the run that shows it, the
    fix, and the check that finds nothing more."""
    with _folder(keep) as folder:
        status = _tell(folder)
    if status == ExitStatus.AS_EXPECTED:
        kept = f"cd {keep}" if keep is not None else "sim demo --keep council"
        why = "to change it and check again" if keep is not None else "to keep these files"
        printing.out(
            "", *_steps("Next", (kept, why), ("sim new NAME", "a folder with a model of your own, and its tests"))
        )
    return status


def _tell(folder: Path) -> ExitStatus:
    file = folder / FILE
    file.write_text(council(), "utf-8")
    _say(1, f"A coordinator asks an agent, and asks again where the answer is late. Its machine, in {FILE}:")
    _code("    ", coordinator(), None)
    _say(2, "Is an answer counted once? A check tries every order in which messages can arrive and timers fire.")
    status = _run(folder, CHECK, ExitStatus.VIOLATED)
    if status is None:
        _say(3, "It is not, and the shortest way there is a file. It replays:")
        status = _run(folder, REPLAY, ExitStatus.AS_EXPECTED)
    if status is None:
        _say(
            4,
            "Both attempts were answered, and a decision was made twice. The fix: once decided, an answer is ignored.",
        )
        _code("  - ", WRONG, Meaning.BAD)
        _code("  + ", FIXED, Meaning.GOOD)
        printing.out("")
        file.write_text(council(fixed=True), "utf-8")
        status = _run(folder, CHECK, ExitStatus.AS_EXPECTED)
    if status is None:
        _say(5, "No order is left in which it happens. The file of the race says so too, now that nothing goes wrong:")
        status = _run(folder, (*REPLAY, "--brief"), ExitStatus.VIOLATED)
    return ExitStatus.AS_EXPECTED if status is None else status


def _say(number: int, text: str) -> None:
    line = marked((f"{number}. {text}", Meaning.WHO))
    printing.out(*([""] if number > 1 else []), *folded(line, width_of_output(), 3), "")


def _code(before: str, text: str, meaning: Meaning | None) -> None:
    for line in text.rstrip().split("\n"):
        printing.out(*folded(marked((f"{before}{line}".rstrip(), meaning)), width_of_output(), 16))


def _steps(title: str, *steps: tuple[str, str]) -> Iterator[str]:
    yield marked((f"{title}:", Meaning.WHO))
    widest = max(len(command) for command, _ in steps)
    yield from (f"    {command:<{widest}}  {why}" for command, why in steps)


def _run(folder: Path, words: tuple[str, ...], expected: ExitStatus) -> ExitStatus | None:
    """Run one of our commands there, with its output where ours goes; the status to end with, or None to go on."""
    printing.out(f"$ {options.command_line(*words)}")
    running = subprocess.Popen([sys.executable, "-m", "sim", *words], cwd=folder)  # noqa: S603 - commands of ours
    try:
        ended = running.wait()
    except KeyboardInterrupt:  # it was interrupted as well, and says so
        running.wait()
        return ExitStatus.INTERRUPTED
    if ended == expected:
        return None
    printing.err(f"sim: the demonstration expected exit status {int(expected)} of this command, and it was {ended}")
    return ExitStatus(ended) if ended in [*ExitStatus] and ended else ExitStatus.VIOLATED


@contextmanager
def _folder(keep: str | None) -> Iterator[Path]:
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="sim-demo-") as folder:
            yield Path(folder)
        return
    try:
        Path(keep).mkdir(parents=True)
    except FileExistsError:
        raise ConfigError(f"--keep {keep}: exists already; name a new folder") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError(f"--keep {keep}: cannot be created: {reason}; name a folder that can be") from None
    yield Path(keep)
