"""`sim conform`: whether logs are paths of a model."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import click

from sim.base import printing
from sim.base.errors import ConfigError, ExitStatus, SimError
from sim.cli import options
from sim.cli.follow import followed
from sim.cli.keep import places, write_page
from sim.conform.conformance import JudgedLog, Judging
from sim.conform.explanation_file import write_explanation
from sim.conform.listening import Listener
from sim.conform.logged import Logged, LoggedRun, read_logs
from sim.conform.search import MAX_NODES
from sim.conform.shared_out import RunJudge, judged, judged_by
from sim.minimiser.counterexample_file import replay_command
from sim.scenario import Target, load_target
from sim.scenario.target import is_model_name

HINTS_MAX = 20
"""Up to so many runs each is told apart that could refute nothing."""
FILES_MAX = 10
"""How many scenario files are written of one log; what else is wrong is told."""


@click.command()
@click.argument("logs", nargs=-1, required=True, type=click.Path(), metavar="LOG...")
@click.option("--model", "target", required=True, metavar="TARGET", help="The model, or a scenario file that names it.")
@options.settings
@click.option("--faults", metavar="SPEC", help="The fault budget, such as drop:unlimited, instead of the model's.")
@click.option(
    "--skew", type=options.Whole(0), metavar="MS", help="Clocks order lines that are further apart than this."
)
@click.option(
    "--max-nodes",
    type=options.Whole(1),
    default=MAX_NODES,
    show_default=True,
    metavar="N",
    help="Stop after this many.",
)
@click.option(
    "--monitors-only", is_flag=True, help="Let the monitors judge what was emitted; the rest is not asked for."
)
@click.option("--strength", is_flag=True, help="Tell how much the log could refute, by spoiling it.")
@click.option(
    "--follow", is_flag=True, help="Judge a log that is still being written, line by line, until it ends or Ctrl-C."
)
@click.option(
    "--workers",
    type=options.Whole(1, options.WORKERS_MAX),
    default=1,
    show_default=True,
    metavar="N",
    help="Processes.",
)
@options.handler_timeout
@options.out
@click.option("--html", "html", is_flag=True, help="Also write each file as a page, the log beside the model.")
@options.as_json
def command(
    logs: tuple[str, ...],
    target: str,
    settings: tuple[str, ...],
    faults: str | None,
    skew: int | None,
    max_nodes: int,
    monitors_only: bool,
    strength: bool,
    follow: bool,
    workers: int,
    out: str,
    html: bool,
    as_json: bool,
) -> int:
    """Tell whether the runs of a LOG are paths of a model. Exit status: 0 they are, 1 one is not, 2 bad log, 4 a bound was
    hit."""
    wanted = _Wanted(target, options.overrides(settings), faults, skew, max_nodes, monitors_only, strength, html)
    if twice := [log for at, log in enumerate(logs) if log in logs[:at]]:
        raise ConfigError(f"{twice[0]}: is given twice; give each log once")
    if follow:
        _refuse_with_follow(strength, workers)
        makes: list[_MakeJudge] = []

        def make(logged: Logged) -> RunJudge:
            makes.append(_MakeJudge.of(wanted, logged, hints=False))
            return makes[0]()

        answers = followed(logs, make, quiet=as_json)
        loaded = makes[0].load()
    else:
        logged = read_logs(logs)
        judge = _MakeJudge.of(wanted, logged, hints=len(logged.runs) <= HINTS_MAX)
        loaded = judge.load()
        runs = list(logged.runs.values())
        answers = _judged(judge, runs, workers, quiet=as_json)
    files = _keep(loaded, answers, Path(out), html=html)
    if as_json:
        options.print_json(_data(answers, files))
    else:
        printing.out(*map(printing.shortened, _lines(answers, files, loaded.model)))
    return _status(answers)


def _judged(judge: _MakeJudge, runs: list[LoggedRun], workers: int, *, quiet: bool) -> list[JudgedLog]:
    """What is said of each run; on a terminal how far it is, in runs, or in nodes where there is one run."""
    if len(runs) == 1:
        with options.counting("nodes", None, quiet=quiet) as judge.tell:
            return list(judged(judge, runs))
    answers = []
    with options.counting("runs", len(runs), quiet=quiet) as show, closing(judged_by(workers, judge, runs)) as coming:
        for answer in coming:
            answers.append(answer)
            show(len(answers))
    return answers


def _refuse_with_follow(strength: bool, workers: int) -> None:
    mistakes = []
    if strength:
        mistakes.append("--strength spoils a log that is whole; leave out --follow")
    if workers > 1:
        mistakes.append("--workers shares out the runs of a log that is whole; leave out --follow")
    if mistakes:
        raise ConfigError(*mistakes)


class _Wanted(NamedTuple):
    """What a command line wants of a judge."""

    target: str
    sets: Mapping[str, str]
    faults: str | None
    skew: int | None
    max_nodes: int
    monitors_only: bool
    strength: bool
    lanes: bool


@dataclass
class _MakeJudge:
    """Makes the judge of a command line, here or in another process, for a log with this header."""

    wanted: _Wanted
    model: str | None
    place: str
    sets: Mapping[str, str]
    hints: bool
    tell: Callable[[int], None] | None = field(default=None, compare=False)

    @classmethod
    def of(cls, wanted: _Wanted, logged: Logged, *, hints: bool) -> _MakeJudge:
        return cls(wanted, logged.model, f"{logged.place}:1", {**_config_of(logged), **wanted.sets}, hints)

    def load(self) -> Target:
        target = self.wanted.target
        if is_model_name(target):
            self._check_model(target)  # before its configuration is read, which may be that of another model
        try:
            loaded = load_target(target, self.sets, faults=self.wanted.faults)
        except SimError as error:
            raise ConfigError(*map(self._told, error.mistakes)) from None
        self._check_model(loaded.model)
        return loaded

    def _check_model(self, model: str) -> None:
        if self.model not in (None, model):
            raise ConfigError(f"{self.place}: the log is of {self.model}, not of {model}; give --model {self.model}")

    def _told(self, mistake: str) -> str:
        """A mistake, which may be in the configuration that the log has, and not on the command line."""
        key = mistake.removeprefix("--set ").partition("=")[0]
        if mistake.startswith("--set ") and key not in self.wanted.sets:
            return f"{self.place}: config: {mistake.removeprefix('--set ')}"
        return mistake

    def __call__(self) -> RunJudge:
        system, wanted = self.load().declaration, self.wanted
        if wanted.monitors_only:
            return Listener(system)
        return Judging(system, wanted.skew, wanted.max_nodes, wanted.strength, self.hints, wanted.lanes, self.tell)


def _config_of(logged: Logged) -> dict[str, str]:
    """The configuration in the header, as `--set` has it."""
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in logged.config.items()}


def _keep(target: Target, answers: list[JudgedLog], folder: Path, *, html: bool) -> dict[str, str]:
    """Writes the explained paths as scenario files, those of runs that do not conform first: run -> file."""
    if len(answers) > 1:
        answers = [one for one in answers if one.verdict != "ok"]
    files = {}
    kept = [one for one in answers if one.schedule is not None][:FILES_MAX]
    for one, place in zip(kept, places(target, [f"log-{one.run}" for one in kept], folder), strict=True):
        files[one.run] = place.path
        file = write_explanation(files[one.run], target, one)
        if html:
            write_page(file, target, one)
    return files


def _data(answers: list[JudgedLog], files: Mapping[str, str]) -> dict[str, Any]:
    """What is said of all runs: the sums, and the first that does not conform."""
    shown = next((one for one in answers if one.verdict != "ok"), answers[0])
    sums = {key: sum(getattr(one, key) for one in answers) for key in ("lines", "explained", "nodes")}
    told = [{**one.said, "scenario": files.get(one.run)} for one in answers]
    worst = next((v for v in ("violated", "incomplete") if any(one.verdict == v for one in answers)), "ok")
    first = {**shown.said, "scenario": files.get(shown.run)}
    return {**first, "verdict": worst, **sums, "runs": told if len(told) > 1 else []}


def _lines(answers: list[JudgedLog], files: Mapping[str, str], model: str) -> list[str]:
    lines = []
    for one in answers:
        if one.verdict != "ok" or len(answers) == 1:
            lines += [one.headline, *one.words]
            if one.run in files:
                lines.append(f"scenario: {files[one.run]}")
                lines.append(f"replay: {replay_command(files[one.run], model)}")
    if len(answers) > 1:
        good = sum(one.verdict == "ok" for one in answers)
        lines.append(f"{good} of {len(answers)} runs conform")
    return lines


def _status(answers: list[JudgedLog]) -> ExitStatus:
    verdicts = {one.verdict for one in answers}
    if "violated" in verdicts:
        return ExitStatus.VIOLATED
    return ExitStatus.INCOMPLETE if "incomplete" in verdicts else ExitStatus.AS_EXPECTED
