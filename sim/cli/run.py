"""`sim run`: scenario files, each run once and compared with what it expects."""

from __future__ import annotations

import click

from sim.base import printing
from sim.base.errors import DivergenceError, ExitStatus, NondeterminismError, SimError
from sim.cli import options
from sim.cli.pages import write_files
from sim.cli.plans import plan_given, say_on
from sim.live.program_parts import ProgramParts
from sim.report.data import run_data
from sim.report.outcome import JudgedRun, compare
from sim.report.text import run_lines
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
    verifying: bool,
    html: str | None,
    exports: tuple[str, ...],
    metrics: bool | None,
    settings: tuple[str, ...],
    models: tuple[str, ...],
    as_json: bool,
) -> int:
    """Run scenario files: the whole trace, what was emitted and rejected, the digest."""
    sets = options.overrides(settings)
    files = options.files_of(html, exports, len(scenarios))
    plan = plan_given(faults, sets)
    requests = [RunRequest(path, sets, plan.text, seed, models, plan.source) for path in scenarios]
    loaded = _load(requests)
    say_on(plan, loaded)
    outcomes: list[JudgedRun] = []
    interrupted = unsteady = False
    try:
        for request, scenario in zip(requests, loaded, strict=True):
            outcome, steady = perform(request, scenario, verifying=verifying, metrics=metrics)
            unsteady = unsteady or not steady
            outcomes.append(outcome)
            write_files(outcome, files)
            if not as_json:
                printing.out(*([""] if len(outcomes) > 1 else []), *run_lines(outcome))
    except KeyboardInterrupt:
        interrupted = True
        printing.err(f"sim: interrupted; {len(outcomes)} of {len(requests)} scenarios were run")
    if as_json:
        data = [run_data(outcome) for outcome in outcomes]
        options.print_json(data[0] if len(requests) == 1 and data else {"runs": data})
    if interrupted:
        return ExitStatus.INTERRUPTED
    return ExitStatus.NONDETERMINISM if unsteady else status_of(outcomes)


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
        return f"{request.path}:{item.line}:{item.column}"
    return request.path


def status_of(outcomes: list[JudgedRun]) -> ExitStatus:
    unexpected = [outcome for outcome in outcomes if not outcome.as_expected]
    if any(outcome.run.verdict != "incomplete" for outcome in unexpected):
        return ExitStatus.VIOLATED
    return ExitStatus.INCOMPLETE if unexpected else ExitStatus.AS_EXPECTED
