"""`sim status`: where something stands, what it cost, what is wasted, what is wrong, what next."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from sim.base import printing
from sim.base.errors import ConfigError, ExitStatus, ScenarioError
from sim.base.files import unplain
from sim.cli import options
from sim.cli.plans import plan_given, say_on
from sim.cli.run import perform, status_of
from sim.cli.terminal import width_of_output
from sim.report.data import run_data
from sim.report.status import Status, read_record, status_of_outcome
from sim.run.verify import RunRequest

FORMATS = ("text", "json", "openmetrics", "otel")
DIGITS_MAX = 4_000
LOGS = (".jsonl", ".jsonl.gz")
"""How the files of logs end."""
RECORD_MAX = 256 * 1024 * 1024
"""Bytes; we never print a longer record of a run."""


@click.command()
@click.argument("target", metavar="TARGET|ID")
@click.option("--seed", type=options.Whole(0, 2**64 - 1), help="The seed of the strategy, instead of the file's.")
@click.option(
    "--format", "form", type=options.Named("format", FORMATS), default=None, help="Output format; text by default."
)
@click.option("--artifacts", is_flag=True, help="Of a hosted session: also the texts that were taken.")
@click.option("--follow", is_flag=True, help="Of a hosted session: tell each input until it ends.")
@click.option("--page", is_flag=True, help="Of a hosted session: serve its page on the loopback while it goes on.")
@options.settings
@options.models
@options.as_json
def command(
    target: str,
    seed: int | None,
    form: str | None,
    artifacts: bool,
    follow: bool,
    page: bool,
    settings: tuple[str, ...],
    models: tuple[str, ...],
    as_json: bool,
) -> int:
    """Say of TARGET where it stands, what it cost, what is wasted, what is wrong and what next; then the details.
    TARGET is a scenario file, which is run; a record (FILE.json or - for standard input): of a run, as `sim run --json`
    printed it, or of a program's session, as SessionMetrics.to_dict gave it; a log (FILE.jsonl); or the number of a
    session, a campaign or a hosted one."""
    if target.isdecimal():
        if seed is not None or settings or models or form in FORMATS[2:]:
            raise ConfigError(f"{target} is a session, which takes only --json; leave the other options out")
        from sim.cli.sessions import tell

        if page and (as_json or form or artifacts or follow):
            raise ConfigError("--page is given: it shows everything; leave the other options out")
        return tell(_number(target), as_json or form == "json", artifacts=artifacts, follow=follow, page=page)
    if artifacts or follow or page:
        raise ConfigError(
            f"{target} is not a hosted session: leave out --artifacts, --follow and --page, or give its number"
        )
    if as_json and form not in (None, "json"):
        raise ConfigError(f"--json and --format {form} are both given; give one")
    form = "json" if as_json else form or "text"
    found: Sequence[Status]
    if target.endswith(LOGS):
        if seed is not None or settings or models or form in FORMATS[2:]:
            raise ConfigError(f"{target} is a log, which takes only --json; leave the other options out")
        return _tell_log(target, as_json=form == "json")
    if target == "-" or target.endswith(".json"):
        if seed is not None or settings or models:
            raise ConfigError(f"{target} is a record: --seed, --set and --model do not apply to it; leave them out")
        found = read_record(_text(target), target)
        status = ExitStatus.AS_EXPECTED if all(one.as_expected for one in found) else ExitStatus.VIOLATED
    else:
        sets = options.overrides(settings)
        plan = plan_given(None, sets)
        request = RunRequest(target, sets, plan.text, seed, models, plan.source)
        scenario = request.load()
        say_on(plan, [scenario])
        outcome, _ = perform(request, scenario, metrics=True)
        found = [status_of_outcome(outcome, run_data(outcome))]
        status = status_of([outcome])
    _print(found, form)
    return status


def _tell_log(path: str, *, as_json: bool) -> int:
    from sim.report.logged_standing import log_standing

    standing = log_standing(path)
    if as_json:
        options.print_json({"log": path, "standing": standing.as_dict()})
    else:
        printing.out(*standing.lines(width_of_output()))
    return ExitStatus.AS_EXPECTED


def _number(target: str) -> int:
    """The number of a session; what has more digits than Python reads is not one, and is not found."""
    return int(target) if len(target) <= DIGITS_MAX else 10**DIGITS_MAX


def _text(target: str) -> str:
    if mistake := unplain(target):
        raise ScenarioError(mistake)
    try:
        if target == "-":
            return sys.stdin.read(RECORD_MAX) if sys.stdin is not None else ""
        file = Path(target)
        if file.stat().st_size > RECORD_MAX:
            raise ScenarioError(f"{target}: is larger than {RECORD_MAX} bytes, so it is not a record of a run")
        return file.read_text("utf-8")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ScenarioError(f"{target}: cannot be read: {reason}; name a file that `sim run --json` printed") from None


def _print(found: Sequence[Status], form: str) -> None:
    if form == "json":
        data = [one.as_dict() for one in found]
        options.print_json(data[0] if len(data) == 1 else {"runs": data})
    elif form == "text":
        for number, one in enumerate(found):
            details = [*one.lines()]
            printing.out(
                *([""] if number else []),
                *one.standing.lines(width_of_output()),
                *([""] if details else []),
                *details,
            )
    elif len(found) > 1:
        raise ConfigError(f"{len(found)} runs cannot share one {form} text: their series would coincide; give one run")
    else:
        printing.document(found[0].openmetrics() if form == "openmetrics" else found[0].otel())
