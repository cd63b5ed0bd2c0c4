"""`sim run`: scenario files, each run once and compared with what it expects."""

from __future__ import annotations

from collections.abc import Mapping

import click

from sim.base import printing
from sim.base.errors import DivergenceError, ExitStatus, NondeterminismError, SimError
from sim.base.folded import folded as fold
from sim.cli import options
from sim.cli.pages import write_files
from sim.cli.plans import plan_given, say_on
from sim.cli.terminal import width_of_output
from sim.live.program_parts import ProgramParts
from sim.report.brief import brief_line, closing_lines
from sim.report.data import run_data
from sim.report.outcome import JudgedRun, compare
from sim.report.traced import run_lines
from sim.run.metering import meter
from sim.run.of_scenario import simulate_scenario
from sim.run.verify import RunRequest, verify
from sim.scenario import Scenario


@click.command()
@click.argument("scenarios", nargs=-1, required=True, type=click.Path(), metavar="SCENARIO...")
@click.option("--seed", type=options.Whole(0, 2**64 - 1), help="The seed of the strategy, instead of the file's.")
@click.option(
    "--faults", metavar="SPEC", help="The fault plan, instead of the file's, such as drop:1,crash:1@coordinator."
)
@click.option(
    "--brief/--full",
    "brief",
    default=None,
    help="A line for each file, or each in full; one file is shown in full, of several those that are not as expected.",
)
@click.option("--verify", "verifying", is_flag=True, help="Run again in fresh processes; any difference is an error.")
@options.html_file
@options.exports
@options.handler_timeout
@options.metrics
@options.settings
@options.models
@options.as_json
def command(
    scenarios: tuple[str, ...],
    seed: int | None,
    faults: str | None,
    brief: bool | None,
    verifying: bool,
    html: str | None,
    exports: tuple[str, ...],
    metrics: bool | None,
    settings: tuple[str, ...],
    models: tuple[str, ...],
    as_json: bool,
) -> int:
    """Run scenario files: the whole trace, what was emitted and rejected, the digest. Of several files a line each, in
    full what is not as expected, and a summary."""
    sets = options.overrides(settings)
    files = options.files_of(html, exports, len(scenarios))
    plan = plan_given(faults, sets)
    requests = [RunRequest(path, sets, plan.text, seed, models, plan.source) for path in scenarios]
    loaded = _load(requests)
    say_on(plan, loaded)
    runs = _Runs(brief, verifying=verifying, metrics=metrics, as_json=as_json, files=files)
    interrupted = False
    try:
        for request, scenario in zip(requests, loaded, strict=True):
            runs.add(request, scenario, alone=len(requests) == 1)
    except KeyboardInterrupt:
        interrupted = True
    runs.close(len(requests))
    if interrupted:
        printing.err(f"sim: interrupted; {len(runs.outcomes)} of {len(requests)} scenarios were run")
        return ExitStatus.INTERRUPTED
    if runs.refused:
        raise SimError(*runs.refused)
    return ExitStatus.NONDETERMINISM if runs.unsteady else status_of(runs.outcomes)


class _Runs:
    """The runs of a command: made one after the other, each shown as it is over."""

    def __init__(
        self, brief: bool | None, *, verifying: bool, metrics: bool | None, as_json: bool, files: Mapping[str, str]
    ) -> None:
        self._brief, self._verifying, self._metrics = brief, verifying, metrics
        self._as_json, self._files = as_json, files
        self._width = width_of_output()
        self._was_full = False
        self.outcomes: list[JudgedRun] = []
        self.unsteady: list[str] = []
        """The files of which runs elsewhere were others."""
        self.refused: list[str] = []
        """What is wrong with those that could not be run."""

    def add(self, request: RunRequest, scenario: Scenario, *, alone: bool) -> None:
        """Run one more. Of several, one that cannot be run keeps no other from being run."""
        try:
            outcome, steady = perform(request, scenario, verifying=self._verifying, metrics=self._metrics)
        except SimError as error:
            if alone or self._as_json:
                raise
            self.refused += error.mistakes
            return
        if not steady:
            self.unsteady.append(request.path)
        self.outcomes.append(outcome)
        write_files(outcome, self._files)
        if not self._as_json:
            self._show(outcome, in_full=alone if self._brief is None else not self._brief)

    def _show(self, outcome: JudgedRun, *, in_full: bool) -> None:
        in_full = in_full or (self._brief is None and not outcome.as_expected)
        apart = [""] if len(self.outcomes) > 1 and (in_full or self._was_full) else []
        self._was_full = in_full
        if in_full:
            printing.out(*apart, *run_lines(outcome, self._width))
        else:
            printing.out(*apart, brief_line(outcome, self._width))

    def close(self, requested: int) -> None:
        """What came of all of them."""
        if self._as_json:
            data = [run_data(outcome) for outcome in self.outcomes]
            options.print_json(data[0] if requested == 1 and data else {"runs": data})
        elif requested > 1:
            told = closing_lines(self.outcomes, self.unsteady, self.refused, requested)
            printing.out("", *(folded for line in told for folded in fold(line, self._width, 4)))


def _load(requests: list[RunRequest]) -> list[Scenario]:
    """All scenarios, or the mistakes of all files at once."""
    loaded: list[Scenario] = []
    mistakes: list[str] = []
    for request in requests:
        try:
            loaded.append(request.load())
        except SimError as error:
            mistakes += error.mistakes
    if mistakes:
        raise SimError(*mistakes)
    return loaded


def perform(
    request: RunRequest, scenario: Scenario, *, verifying: bool = False, metrics: bool | None = None
) -> tuple[JudgedRun, bool]:
    """One run, and whether it is the same elsewhere. `metrics` overrides whether the file wants it measured."""
    try:
        run = simulate_scenario(scenario)
    except SimError as error:
        raise SimError(*(f"{_where(request, scenario, error)}: {mistake}" for mistake in error.mistakes)) from None
    steady: bool | None = None
    if verifying:
        try:
            verify(request, run.trace, shifted=not isinstance(scenario.system, ProgramParts))
            steady = True
        except NondeterminismError as error:
            steady = False
            printing.err(*(f"sim: {mistake}" for mistake in error.mistakes))
    seed = ("--seed", str(request.seed)) if request.seed is not None else ()
    plan = ("--faults", request.faults) if request.faults is not None else ()
    replay = options.command_line("run", request.path, *seed, *plan, sets=request.overrides, allow=request.allow)
    measured = scenario.metrics.enabled if metrics is None else metrics
    found = meter(run.trace, scenario.metrics) if measured else None
    return compare(scenario, run, replay, steady, found), steady is not False


def _where(request: RunRequest, scenario: Scenario, error: SimError) -> str:
    """The place to blame: the item of the schedule that does not fit, or the file as a whole."""
    if isinstance(error, DivergenceError) and scenario.schedule:
        item = scenario.schedule[error.item]
        return f"{request.path}:{item.line}:{item.column}" + (f": {item.round}" if item.round else "")
    return request.path


def status_of(outcomes: list[JudgedRun]) -> ExitStatus:
    unexpected = [outcome for outcome in outcomes if not outcome.as_expected]
    if any(outcome.run.verdict != "incomplete" for outcome in unexpected):
        return ExitStatus.VIOLATED
    return ExitStatus.INCOMPLETE if unexpected else ExitStatus.AS_EXPECTED
