"""What the commands about hosted sessions share: the configuration file, the host that it makes, its life on a terminal."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sim.base import printing
from sim.base.errors import ConfigError, ExitStatus, SimError, brief, listing
from sim.base.files import unplain
from sim.campaign import hosted_sessions
from sim.campaign.hosted_sessions import HostedEntry, HostedPlan, refuse_foreign
from sim.cli import options
from sim.cli.campaigns import SessionDesk
from sim.cli.terminal import width_of_output
from sim.host.cast import Cast, made
from sim.host.configuration import Hosting, read_hosting
from sim.host.configured import adapter_of
from sim.host.configured_links import links_of, port_of
from sim.host.given import check_until, frozen
from sim.host.host import FAILED, OPEN, OVER, STOPPED, Host
from sim.host.host_log import LogFile, check_log, faults_of, line_words, log_line
from sim.host.hosted_session import BeyondTable
from sim.host.journal import Journal, is_address, open_journal, without_password
from sim.host.observer import Observer
from sim.host.person import waiting_in
from sim.host.tally import SessionTally, tally
from sim.report.hosted import (
    artifact_data,
    artifact_lines,
    cost_text,
    hosted_data,
    hosted_lines,
    hosted_standing,
    pending_text,
)
from sim.scenario import Target, load_target
from sim.scenario.document import read_document
from sim.scenario.mistakes import Mistakes
from sim.scenario.models import class_of, is_bundled, listed_models
from sim.scenario.target import is_model_name
from sim.sessions.store_file import now_ms

CONFIG_MAX = 1024 * 1024
LOOK_S = 0.1
"""How often limits, the log and what is followed are looked at."""


@dataclass(frozen=True)
class Wanted:
    """What a command line says of a session that is to be hosted."""

    target: str
    config: str
    journal: str
    sets: Mapping[str, str]
    follow: bool
    as_json: bool


def read_configuration(path: str) -> Hosting:
    """The configuration in a file. Raises `ConfigError`, one line for each mistake, with its place."""
    if mistake := unplain(path):
        raise ConfigError(mistake)
    try:
        text = Path(path).read_bytes()[: CONFIG_MAX + 1].decode()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError(f"{path}: cannot be read: {reason}; name a configuration file") from None
    if not text.strip():
        raise ConfigError(f"{path}: is empty; write adapters, links and so on")
    mistakes = Mistakes(path)
    root = read_document(text, mistakes)
    mistakes.raise_any()
    if root is None:
        raise ConfigError(f"{path}: is empty; write adapters, links and so on")

    def complain(keys: tuple[str, ...], told: str) -> None:
        where = ".".join(keys)
        glue = " " if told.startswith("is ") else ": "
        mistakes.add(root.key_place(*keys) if keys else root.place, f"{where}{glue}{told}" if keys else told)

    found = read_hosting(root.plain(), complain)
    mistakes.raise_any()
    return found


def load(wanted: Wanted, hosting: Hosting) -> Target:
    """The model that is to be hosted, configured."""
    given = {key: value if isinstance(value, str) else json.dumps(value) for key, value in hosting.settings.items()}
    if not is_model_name(wanted.target):
        raise ConfigError(f"{wanted.target} is a scenario file, which is run, not hosted; name its model")
    try:
        return load_target(wanted.target, {**given, **wanted.sets})
    except SimError as error:
        raise ConfigError(*(_place_of(mistake, wanted, given) for mistake in error.mistakes)) from None


def _place_of(mistake: str, wanted: Wanted, given: Mapping[str, str]) -> str:
    """A mistake in a setting of the file is told as one of the file, not of the command line."""
    key = mistake.removeprefix("--set ").partition("=")[0]
    if mistake.startswith("--set ") and key in given and key not in wanted.sets:
        return f"{wanted.config}: set: {mistake.removeprefix('--set ')}"
    return mistake


def make_host(wanted: Wanted, hosting: Hosting, target: Target, name: str) -> Host:
    """The host of a configuration for the session `name`. Raises `ConfigError`; then no journal was made."""
    folder = Path(wanted.config).resolve().parent

    def system(**config: Any) -> Any:
        if config == dict(target.config):
            return target.declaration
        given = {key: value if isinstance(value, str) else json.dumps(value) for key, value in config.items()}
        return load_target(wanted.target, given).declaration

    adapters = {
        name: adapter_of(name, _beside(folder, given), f"{wanted.config}: adapters", class_of)
        for name, given in hosting.adapters.items()
    }
    links = links_of(hosting.links, f"{wanted.config}: links", folder)
    listen = None if hosting.listen is None else port_of(hosting.listen, f"{wanted.config}: listen", folder)
    declared = made(system, _config_in(wanted.journal, name) or target.config, target.model)
    with _told_of(wanted.config):
        cast = Cast(declared, hosting.here, adapters, links, {}, hosting.carries)
        for process, states in hosting.until.items():
            check_until(cast, process, states)
        if hosting.log is not None:
            check_log(str(folder / hosting.log))
    return Host(
        system,
        observer=_spans(wanted, hosting),
        journal=wanted.journal,
        here=hosting.here,
        adapters=adapters,
        links=links,
        listen=listen,
        carries=hosting.carries,
        until=hosting.until,
        model=target.model,
        tell=lambda line: printing.err(f"sim: {line}"),
    )


def _config_in(journal: str, name: str) -> dict[str, Any]:
    """The config of a session that this journal has; empty if there is none. What is wrong with the journal is told when it
    is taken."""
    with suppress(SimError), open_journal(journal, fresh=False) as found:
        config = found.sessions().get(name, ({},))[0]
        return {key: frozen(value) for key, value in config.items()}
    return {}


@contextmanager
def _told_of(path: str) -> Iterator[None]:
    """Mistakes are told with the file that they are in."""
    try:
        yield
    except SimError as error:
        raise ConfigError(*(f"{path}: {mistake}" for mistake in error.mistakes)) from None


def _beside(folder: Path, given: Mapping[str, Any]) -> dict[str, Any]:
    """What is given, with its paths counted from the folder of the configuration file."""
    paths = {key: str(folder / given[key]) for key in ("path", "certificates") if isinstance(given.get(key), str)}
    return {**given, **paths}


def _spans(wanted: Wanted, hosting: Hosting) -> Observer | None:
    if not hosting.otel:
        return None
    with _told_of(f"{wanted.config}: otel"):
        from sim.host.host_spans import spans_from_environment  # needs the extra

        return spans_from_environment(os.environ, texts=hosting.otel_texts)


def host_session(at: SessionDesk, wanted: Wanted, name: str = "") -> int:
    """Host a session until it is over, a limit ends it, or somebody stops it; the exit status."""
    hosting = read_configuration(wanted.config)
    target = load(wanted, hosting)
    name = name or hosting.session or target.model.rpartition(".")[2]
    host = make_host(wanted, hosting, target, name)
    journal = wanted.journal if is_address(wanted.journal) else str(Path(wanted.journal).resolve())
    plan = HostedPlan(wanted.target, name, without_password(journal), str(Path(wanted.config).resolve()))
    number = hosted_sessions.note(at.store, at.project, plan, at.place, OPEN)
    life = _Life(host, name, target, hosting, wanted, number)
    try:
        status = asyncio.run(life.run())
    finally:
        hosted_sessions.note(at.store, at.project, plan, at.place, life.state)
    return status


@contextmanager
def _signalled() -> Iterator[asyncio.Event]:
    """What is set by a signal to stop. The loop would give signals back only after it has closed what they are written to."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    with ExitStack() as given_back:
        for one in (signal.SIGINT, signal.SIGTERM):
            with suppress(NotImplementedError):
                loop.add_signal_handler(one, stop.set)
                given_back.callback(loop.remove_signal_handler, one)
        yield stop


def tell_hosted(entry: HostedEntry, *, as_json: bool, artifacts: bool = False) -> int:
    """What a hosted session is doing, used and cost, read off its journal."""
    refuse_foreign(entry)
    with journal_of(entry) as journal:
        found = _tally(journal, entry)
        waiting = waiting_in(journal, entry.plan.session)
        standing = hosted_standing(found, entry.id, [f"{one.process}: {one.message}" for one in waiting])
        if as_json:
            texts = {"artifacts": artifact_data(journal, found)} if artifacts else {}
            options.print_json({"id": entry.id, "standing": standing.as_dict(), **hosted_data(found), **texts})
        else:
            printing.out(*standing.lines(width_of_output()), "", *hosted_lines(found))
            printing.out(*(artifact_lines(journal, found) if artifacts else ()))
    return ExitStatus.AS_EXPECTED


def follow_hosted(entry: HostedEntry, *, as_json: bool = False) -> int:
    """Tell each input of a session that somebody else hosts, until it ends or somebody interrupts; then how it stands. With
    `as_json` each is a line of its log."""
    refuse_foreign(entry)
    with journal_of(entry) as journal, suppress(KeyboardInterrupt):
        seen = 0
        while True:
            state = journal.mark(entry.plan.session)[2]
            for line in journal.trace(entry.plan.session, seen):
                if "input" in line.said:
                    printing.out(json.dumps(log_line(journal, line, seen)) if as_json else line_words(line))
                    seen = line.n
            if state != OPEN:
                break
            time.sleep(LOOK_S)
    return tell_hosted(entry, as_json=as_json)


def summary_of(entry: HostedEntry) -> tuple[str, str, str, str]:
    """(stage, pending, cost, state) of a session, for a list; what cannot be read says so."""
    if not entry.own:
        return "?", "?", "?", "not known to be yours"
    try:
        with journal_of(entry) as journal:
            if entry.plan.session not in journal.sessions():
                return "?", "?", "?", "not in its journal"
            found = _tally(journal, entry)
    except SimError:
        return "?", "?", "?", "its journal cannot be read"
    return found.stage, pending_text(found), cost_text(found), found.state


def journal_of(entry: HostedEntry) -> Journal:
    """The journal that holds a session, to look at. Raises `ConfigError`."""
    return open_journal(entry.plan.journal, fresh=False)


def _tally(journal: Journal, entry: HostedEntry) -> SessionTally:
    if entry.plan.session not in journal.sessions():
        raise ConfigError(f"{journal.database.name}: has no session {entry.plan.session} any more")
    return tally(journal, entry.plan.session, now_ms())


def resume_hosted(at: SessionDesk, entry: HostedEntry, config: str | None, *, follow: bool, as_json: bool) -> int:
    """Go on with a hosted session; its exit status. What is not ours needs the configuration on the command line, and a model
    that may be imported without being named there."""
    plan = entry.plan
    if config is None:
        refuse_foreign(entry)
    elif not entry.own and not is_bundled(plan.target) and plan.target not in listed_models()[0]:
        raise ConfigError(
            f"session {entry.id} is not known to be yours, so its model {brief(plan.target)} is not imported; name it "
            "yourself: sim host MODEL --config FILE --journal FILE, or take it over: sim sessions --adopt"
        )
    wanted = Wanted(plan.target, config or plan.config, plan.journal, {}, follow, as_json)
    return host_session(at, wanted, plan.session)


def leave_wish(entry: HostedEntry, kind: str, **said: Any) -> None:
    """Leave a wish in the journal of a session: whoever hosts it, now or later, grants it."""
    refuse_foreign(entry)
    with journal_of(entry) as journal:
        state = journal.sessions().get(entry.plan.session, ({}, "", "", 0))[1]
        if state in ("", OVER, FAILED):
            raise ConfigError(f"session {entry.id} is {state or 'not in its journal'}; nothing more comes of it")
        journal.wish(entry.plan.session, kind, **said)


class _Life:
    """A session on a terminal, from its start to its end."""

    def __init__(self, host: Host, name: str, target: Target, hosting: Hosting, wanted: Wanted, number: int) -> None:
        self.host, self.name, self.target, self.hosting, self.wanted = host, name, target, hosting, wanted
        self.number = number
        self.state = OPEN
        self._seen = 0
        self._limited = ""
        self._is_told = False
        host.limit = self._limit_of_calls
        folder = Path(wanted.config).resolve().parent
        self._log = LogFile(host.journal, name, str(folder / hosting.log)) if hosting.log else None

    async def run(self) -> int:
        """Host it; the exit status."""
        with _signalled() as stop:
            return await self._run(stop)

    async def _run(self, stop: asyncio.Event) -> int:
        known = self.host.sessions()
        if known.get(self.name) == OVER:
            self.state = OVER
            self._tell_end(ExitStatus.AS_EXPECTED, "it was over already")
            self.host.journal.close()
            return ExitStatus.AS_EXPECTED
        try:
            await self.host.open([self.name] if self.name in known else [])
            if self.name not in known:
                await self.host.start(self.name, **self.target.config)
            if not self.wanted.as_json:
                again = "goes on" if self.name in known else "begins"
                where = self.host.journal.database.name
                printing.out(f"session {self.number} ({self.name}) {again}: {self.target.model}, journal {where}")
            self._seen = self.host.journal.lines if self.name in known else 0
            status, why = await self._live(stop)
            self._tell_end(status, why)
        except BeyondTable as error:  # as it began, or went on
            status, why = self._beyond(error)
            if self.name in self.host.sessions():
                self._tell_end(status, why)
            else:
                printing.err(f"sim: {why}")
        finally:
            await self.host.close()
        return status

    async def _live(self, stop: asyncio.Event) -> tuple[ExitStatus, str]:
        """Wait for its end: the status, and why it came."""
        over = asyncio.ensure_future(self.host.until_over(self.name))
        stopped = asyncio.ensure_future(stop.wait())
        began_ms = now_ms()
        try:
            while True:
                done, _ = await asyncio.wait({over, stopped}, timeout=LOOK_S, return_when=asyncio.FIRST_COMPLETED)
                self._tell_lines()
                if over in done:
                    return self._over(over)
                if stopped in done:
                    if self.name in self.host.running:
                        self.host.stop_session(self.name)
                        self._tell_lines()
                    return ExitStatus.INTERRUPTED, f"stopped; go on with: sim resume {self.number}"
                for_ms = self.hosting.limits.for_ms
                if for_ms is not None and now_ms() - began_ms >= for_ms and self.name in self.host.running:
                    self._limited = "the limit of time is reached"
                    self.host.stop_session(self.name, self._limited)
        finally:
            over.cancel()
            stopped.cancel()
            await asyncio.gather(over, stopped, return_exceptions=True)

    def _over(self, over: asyncio.Future[str]) -> tuple[ExitStatus, str]:
        error = over.exception()
        if error is None:
            why = over.result()
            if why == self._limited:
                self.state = STOPPED
                raised = "" if "time" in why else f"raise it in {self.wanted.config}, then "
                return ExitStatus.INCOMPLETE, f"{why}; {raised}go on with: sim resume {self.number}"
            self.state = OVER if why == OVER else FAILED
            return (ExitStatus.AS_EXPECTED, "") if why == OVER else (ExitStatus.VIOLATED, why)
        if not isinstance(error, BeyondTable):
            raise error
        return self._beyond(error)

    def _beyond(self, error: BeyondTable) -> tuple[ExitStatus, str]:
        self.state = FAILED
        left = f"; left: {listing(error.left, 'and')}" if error.left else ""
        return ExitStatus.VIOLATED, f"{error.mistakes[0]}{left}"

    def _limit_of_calls(self, session: str) -> str:
        """Why no call may begin any more; empty if one may."""
        limits, journal = self.hosting.limits, self.host.journal
        if limits.calls is not None and journal.calls_made(session) >= limits.calls:
            self._limited = f"the limit of {limits.calls} calls is reached"
        elif limits.usd is not None:
            metrics = tally(journal, session, now_ms()).metrics
            cost = metrics.cost
            unknown = dict.fromkeys([row.agent for row in metrics.snapshot.billed if row.share.unreported])
            unknown |= dict.fromkeys(metrics.unpriced_agents())
            if unknown and not self._is_told:
                self._is_told = True
                self.host.tell(
                    f"limits.usd: what {listing([*unknown], 'and')} cost is not known, and not counted; limit the calls"
                )
            if cost is not None and cost.total.usd >= limits.usd:
                self._limited = f"the limit of {limits.usd} USD is reached"
        return self._limited

    def _tell_lines(self) -> None:
        """What was done since, to the log and to whoever follows."""
        if self._log is not None:
            self._log.catch_up()
        if self.wanted.follow and not self.wanted.as_json:
            for line in self.host.journal.trace(self.name, self._seen):
                self._seen = line.n
                if "input" in line.said:
                    printing.out(line_words(line))

    def _tell_end(self, status: ExitStatus, why: str) -> None:
        found = tally(self.host.journal, self.name, now_ms())
        if self.wanted.as_json:
            faults = faults_of(self.host.journal.trace(self.name))
            verdict = {ExitStatus.AS_EXPECTED: "over", ExitStatus.VIOLATED: "failed"}.get(status, "stopped")
            options.print_json(
                {**hosted_data(found), "number": self.number, "end": verdict, "reason": why or None, "faults": faults}
            )
        else:
            printing.out(*hosted_lines(found), *([why] if why else []))
