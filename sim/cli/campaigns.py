"""Campaigns for the commands that run or show them: the store, the loop on a terminal, the report."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import click

from sim.base import printing
from sim.base.errors import ConfigError
from sim.base.overdue import WATCH
from sim.campaign import sessions
from sim.campaign.answer import CampaignAnswer, answer_of
from sim.campaign.code import code_of
from sim.campaign.dispatch import Campaign
from sim.campaign.engines import read_spec, started
from sim.campaign.known import KnownCase, KnownState, replay_known
from sim.campaign.maker import VARIABLE as STATE_VARIABLE
from sim.campaign.maker import Maker, state_folder
from sim.campaign.sessions import Part, Session
from sim.campaign.store import CampaignStore
from sim.cli import options
from sim.cli.keep import judged, keep_discoveries, missed_lines, places, write_page
from sim.minimiser.counterexample_file import CounterexampleFile
from sim.report.campaign import end_line, known_data, known_lines, part_data, sample_data, sample_line, session_data
from sim.report.data import fuzz_data
from sim.report.fuzzed import fuzz_head, fuzz_lines
from sim.scenario import Target, write_text
from sim.scenario.models import settings_of
from sim.sessions.git import GitPlace, look
from sim.sessions.hold import held
from sim.sessions.home import VARIABLE, Home, home

workers = click.option(
    "--workers",
    type=options.Whole(1, options.WORKERS_MAX),
    metavar="N",
    help="Processes that share the work. [default: one per core]",
)


def _known(_context: click.Context, _option: click.Parameter, value: str | None) -> str | None:
    """Refuses an unavailable engine before a session begins for it."""
    if value is not None:
        read_spec(value)
    return value


engine = click.option(
    "--engine",
    metavar="NAME[=ADDRESS]",
    callback=_known,
    help="Engine of the workers: local, dask or ray, or one that runs at ADDRESS.",
)


class SessionDesk(NamedTuple):
    """The context of a command about sessions: the store, the project, and what git says."""

    home: Home
    store: CampaignStore
    place: GitPlace
    here: Path

    @property
    def project(self) -> str:
        return self.home.project(self.place)


@contextmanager
def desk(*, make: bool = False) -> Iterator[SessionDesk]:
    """The store of sessions. If missing, it is created, or an empty one is used."""
    here = options.working_directory()
    options.storable(str(here))
    found = home(here, os.environ.get(VARIABLE))
    if make or found.is_made:
        found.prepare()
    maker = Maker(state_folder(os.environ.get(STATE_VARIABLE)))
    with CampaignStore(found.file if found.is_made else Path(":memory:"), maker=maker) as store:
        if found.is_apart:
            sessions.adopt(store, unsealed=True)
        yield SessionDesk(found, store, look(here), here)


class Crew(NamedTuple):
    """The engine of a campaign, for how long it runs, and where its counterexamples go."""

    engine: str
    workers: int
    seconds: float | None
    out: str
    html: bool
    """Whether each counterexample gets a page next to it."""
    as_json: bool


def crew(engine: str | None, workers: int | None, seconds: float | None, out: str, html: bool, as_json: bool) -> Crew:
    """The default number of workers: a process for each core."""
    engine = engine or "local"
    if WATCH.limit_s is not None and engine != "local":
        raise ConfigError("--handler-timeout is for processes on this machine; leave it out, or --engine")
    return Crew(engine, workers or _cores(), seconds, out, html, as_json)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def carry_on(at: SessionDesk, session: Session, target: Target, by: Crew) -> int:
    """Run a session until it ends, and report; the exit status."""
    plan = session.plan
    code = code_of(plan.model)
    with held(at.home.folder, session.id):
        before = sessions.parts(at.store, session.id)
        part = sessions.go_on(at.store, session.id, version("roundsim"), code, at.place)
        parts = sessions.parts(at.store, session.id)
        if not by.as_json:
            printing.out(*_head(at, session, target, parts, by, is_new=part not in before))
        known = replay_known(at.store, session, code, at.place)
        if not by.as_json:
            printing.out(*known_lines(known))
        campaign = Campaign(at.store, session, part, target, code, at.here)
        is_held = not plan.keep_going and any(one.state is KnownState.VIOLATED for one in known)
        if not is_held:
            with started(by.engine, by.workers) as engine, _progress(by.as_json) as progress:
                answer = campaign.run(engine, by.seconds, progress)
        else:
            answer = answer_of(at.store, session, part, campaign.world)
        session = sessions.session(at.store, session.id)
        return _report(session, target, _Done(answer, part, parts, known, campaign, is_held), by)


class _Done(NamedTuple):
    answer: CampaignAnswer
    part: Part
    parts: Sequence[Part]
    known: Sequence[KnownCase]
    campaign: Campaign
    is_held: bool
    """Whether nothing was run because a known violation stands."""


def _head(
    at: SessionDesk, session: Session, target: Target, parts: Sequence[Part], by: Crew, *, is_new: bool
) -> Iterator[str]:
    plan = session.plan
    *head, _ = fuzz_head(target, settings_of(target.model, target.config), plan.strategy, plan.seed)
    yield from head
    yield f"session   {session.id}, {at.place.shown}; {by.engine}, {by.workers} workers, chunks of {plan.chunk:,}"
    if is_new and len(parts) > 1:
        yield f"changed   the code differs from that of part {len(parts) - 1} ({parts[-2].shown}): this is part {len(parts)}, kept separately"


def _report(session: Session, target: Target, done: _Done, by: Crew) -> int:
    answer, folder = done.answer, Path(by.out)
    standing = [one for one in done.known if one.state is KnownState.VIOLATED]
    kept = keep_discoveries(target, answer.found, answer.seed, folder, html=by.html)
    violated = [*(found.property for found in answer.found), *(one.violated for one in standing)]
    again = places(target, violated, folder)[len(kept) :]
    for one, place in zip(standing, again, strict=True):
        write_text(place.path, one.scenario)
        if by.html:
            write_page(place, target)
    verdict = "violated" if violated else answer.verdict
    status, as_expected = judged(target, verdict, violated, interrupted=answer.interrupted)
    if by.as_json:
        data = fuzz_data(answer, target, kept, as_expected)
        options.print_json({**data, "verdict": verdict, **_data(session, done, by, again)})
        return status
    if done.is_held:
        lines = [f"no schedule was run: fix that first, then: sim resume {session.id}; --keep-going fuzzes anyway"]
    else:
        lines = ["", *fuzz_lines(answer, kept, done.campaign.seconds), *sample_line(answer.sample)]
    lines += [
        f"known     {one.violated}: replay it with: {place.replay}" for one, place in zip(standing, again, strict=True)
    ]
    lines += missed_lines(target, verdict, violated)
    if not done.is_held:
        lines.append(end_line(session, done.parts.index(done.part) + 1))
    printing.out(*lines)
    return status


def _data(session: Session, done: _Done, by: Crew, again: Sequence[CounterexampleFile]) -> dict[str, Any]:
    """The keys that the object of a campaign has in addition to those of a fuzz."""
    files = iter(again)
    return {
        "seconds": round(done.campaign.seconds, 6),
        "worker_seconds": round(done.answer.seconds, 6),
        "engine": by.engine,
        "workers": by.workers,
        "deaths": done.campaign.deaths,
        "usage": sample_data(done.answer.sample),
        "known": [
            {**known_data(one), "scenario": next(files).path if one.state is KnownState.VIOLATED else None}
            for one in done.known
        ],
        "part": done.parts.index(done.part) + 1,
        "parts": [part_data(part) for part in done.parts],
        "session": session_data(session),
    }


@contextmanager
def _progress(quiet: bool) -> Iterator[Callable[[Campaign], None] | None]:
    """A bar on a terminal: speed, coverage, findings, time left; otherwise nothing."""
    if quiet or not options.is_watched():
        yield None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = None
        states = _Slow()

        def show(campaign: Campaign) -> None:
            nonlocal task
            before = campaign.session.schedules
            if task is None:
                task = bar.add_task("", total=campaign.session.plan.schedules, completed=before)
            seconds = max(campaign.seconds, 1e-9)
            count, findings = states(campaign), campaign.findings
            text = (
                f"{campaign.schedules / seconds:,.0f} schedules/s, {campaign.steps / seconds:,.0f} steps/s, "
                f"{count:,} states, {findings} finding{'s' if findings != 1 else ''}"
            )
            bar.update(task, completed=before + campaign.schedules, description=text)

        yield show


class _Slow:
    """How many states are known; counting sorts all of them, so it is done only now and then."""

    SHARE = 20
    """Between two counts passes at least this many times the time that the last one took."""

    def __init__(self) -> None:
        self._count = 0
        self._next = 0.0

    def __call__(self, campaign: Campaign) -> int:
        begun = time.perf_counter()
        if begun >= self._next:
            self._count = campaign.coverage.states
            ended = time.perf_counter()
            self._next = ended + self.SHARE * (ended - begun)
        return self._count
