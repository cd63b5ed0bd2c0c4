"""The page of a hosted session while it goes on: its journal is read, explained by its model, and drawn.

It is another process than the host's, and reads only. What a search and a run have found out of the model is kept: to
explain a log that has grown costs little more than to read what is new and to draw the page.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from sim.base import printing
from sim.base.errors import ExitStatus, SimError
from sim.campaign.hosted_sessions import HostedEntry, refuse_foreign
from sim.cli.hosting import journal_of
from sim.cli.page_server import HTML, JSON, Body, PageServer
from sim.conform.conformance import JudgedLog, Judging
from sim.conform.logged import LoggedRun, LogReader
from sim.host.host_log import faults_of, log_line, log_text
from sim.host.journal import Journal
from sim.host.journal_records import Line
from sim.host.tally import tally
from sim.report.hosted import standing_lines
from sim.report.html.going_on import TEXT_MAX, GoingOn
from sim.report.html.page import data_going_on, page_going_on, policy_going_on
from sim.report.metrics import spent_lines
from sim.report.outcome import JudgedRun, compare
from sim.run.simulation import Walk
from sim.scenario import Scenario, load_target, parse_scenario, scenario_text
from sim.sessions.store_file import now_ms
from sim.strategy import Replay

NODES_MAX = 200_000
"""So many nodes are looked at to explain a log; where others take steps that nobody has logged it may take more."""
LOOK_S = 0.3
"""How often the journal is looked at."""
ASKED_S = 30.0
"""Nobody has the page open who has not asked for so long."""
REST = 1.0
"""How long nothing is drawn after a page was, in times of how long that took."""
PAYLOADS_MAX = 1_000
"""So many texts are kept for the page, the last ones."""


def serve_page(entry: HostedEntry) -> int:
    """Serve the page of a session until somebody interrupts."""
    refuse_foreign(entry)
    with journal_of(entry) as journal:
        live = LivePage(journal, entry)
        live.draw()
        with PageServer(live.bodies) as server:
            what = f"session {entry.id} ({entry.plan.session})"
            printing.out(f"{what}: {server.address}", "the page goes on with the session; Ctrl-C ends this")
            live.nice()
            try:
                while True:
                    time.sleep(LOOK_S)
                    live.look()
            except KeyboardInterrupt:
                return ExitStatus.AS_EXPECTED


class LivePage:
    """The page of a session. `draw` and `look` are for the thread that has the journal; `bodies` for any. Raises
    `ConfigError` where the session's model cannot be had."""

    def __init__(self, journal: Journal, entry: HostedEntry) -> None:
        self._journal, self._entry, self._name = journal, entry, entry.plan.session
        self._log = _Log(journal, self._name)
        self._explain = _Explanations(entry, journal.sessions()[self._name][0])
        self._mark: tuple[int, int, str, str] = (0, 0, "", "")
        self._drawn: tuple[int, int, str, str] | None = None
        self._version = self._shown = 0
        self._rest_until = self._asked = time.monotonic()
        self._page = self._data = self._trouble = ""
        self._policy = policy_going_on()
        self.bodies: dict[str, Callable[[], Body]] = {
            "": lambda: Body(HTML, self._page, self._policy),
            "data": lambda: Body(JSON, self._data),
            "version": lambda: Body(JSON, self._now()),
        }

    @staticmethod
    def nice() -> None:
        """The host comes first."""
        if hasattr(os, "nice"):
            os.nice(10)

    def look(self) -> None:
        """Draw anew, if there is something new that somebody wants to see."""
        try:
            self._mark = self._journal.mark(self._name)
            self._log.read()
            if self._mark == self._drawn:
                self._trouble = ""
            elif self._rest_until <= (began := time.monotonic()) <= self._asked + ASKED_S:
                self.draw()
                self._rest_until = time.monotonic() + REST * (time.monotonic() - began)
        except SimError as error:
            self._trouble = error.mistakes[0]

    def draw(self) -> None:
        """The page as the session stands now."""
        self._mark = mark = self._journal.mark(self._name)
        self._log.read()
        outcome, answer = self._explain(self._log)
        found = tally(self._journal, self._name, now_ms())
        plan, count = self._entry.plan, len(self._log.run.lines)
        session = GoingOn(
            title=f"session {self._entry.id} ({self._name}): {plan.target}",
            how=f"{count:,} inputs, journal {plan.journal}",
            version=self._version + 1,
            lines=count,
            facts=[*standing_lines(found), *_pending(self._journal, self._name)],
            spent=[*spent_lines(found.metrics)],
            payloads=self._log.payloads,
        )
        self._data = data_going_on(outcome, answer, session)
        self._page = page_going_on(session, self._data)
        self._version, self._shown, self._drawn, self._trouble = session.version, count, mark, ""

    def _now(self) -> str:
        """What the page asks for again and again."""
        self._asked = time.monotonic()
        _, at_ms, state, why = self._mark
        data = {
            "version": self._version,
            "lines": max(self._shown, len(self._log.run.lines)),
            "state": state,
            "why": printing.printable(why),
            "idle_ms": max(0, now_ms() - at_ms),
            "trouble": printing.printable(self._trouble),
        }
        return json.dumps(data)


class _Log:
    """The log of a session, as far as it was read."""

    def __init__(self, journal: Journal, session: str) -> None:
        self._journal, self._session = journal, session
        self._reader = LogReader()
        self._seen = 0
        self.run = LoggedRun(session)
        self.struck: list[Line] = []
        """The lines in which a fault struck."""
        self.payloads: dict[int, list[str]] = {}
        """By the number of a line in the log."""
        self._take(next(log_text(journal, session)), 1)

    def read(self) -> None:
        """What is new."""
        new: dict[int, tuple[int, list[str]]] = {}
        begin = self._seen
        for line in self._journal.trace(self._session, begin):
            if "input" not in line.said:
                continue
            number = len(self.run.lines) + 2
            self._take(json.dumps(log_line(self._journal, line, self._seen)), number)
            self._seen = line.n
            if line.said["input"].keys() & {"crash", "fault"}:
                self.struck.append(line)
            new[line.n] = number, [*line.said.get("texts", ())]
        if new:
            for n, digest in self._journal.took(self._session, begin):
                if n in new:
                    new[n][1].append(digest)
            self._keep_texts({number: hashes for number, hashes in new.values() if hashes})

    def _take(self, text: str, number: int) -> None:
        if (taken := self._reader.take(self._session, number, text.encode())) is not None:
            self.run.lines.append(taken[1])

    def _keep_texts(self, new: dict[int, list[str]]) -> None:
        for number, hashes in [*new.items()][-PAYLOADS_MAX:]:
            texts = self._journal.texts(hashes)
            # one character more than is shown tells that there is more
            self.payloads[number] = [texts[digest][: 2 * TEXT_MAX] for digest in hashes if digest in texts]
        for number in [*self.payloads][:-PAYLOADS_MAX]:
            del self.payloads[number]


class _Explanations:
    """Explains a log that grows, by one model; faults that struck are allowed without a limit, so that the next one of its
    kind needs no other graph."""

    def __init__(self, entry: HostedEntry, config: Mapping[str, object]) -> None:
        self._entry = entry
        self._settings = {key: value if isinstance(value, str) else json.dumps(value) for key, value in config.items()}
        self._plan: str | None = None
        self._judging: Judging
        self._scenario: Scenario

    def __call__(self, log: _Log) -> tuple[JudgedRun, JudgedLog]:
        """The run that explains it, or the longest part of it, and what is said of the log. Raises `SimError`."""
        plan = ",".join(sorted({*re.sub(r":\d+@", ":unlimited@", faults_of(log.struck)).split(",")}))
        if plan != self._plan:
            self._load(plan)
        answer = self._judging.judge(log.run)
        return self._run(answer), answer

    def _load(self, plan: str) -> None:
        loaded = load_target(self._entry.plan.target, self._settings, faults=plan or None)
        self._judging = Judging(loaded.declaration, max_nodes=NODES_MAX, hints=False, lanes=True)
        text = scenario_text({"model": loaded.model, "config": dict(loaded.config) or None})
        scenario = parse_scenario(text, self._entry.plan.session, allow=(loaded.model,))
        self._scenario = replace(scenario, system=loaded.system, schedule=())
        self._plan = plan

    def _run(self, answer: JudgedLog) -> JudgedRun:
        """The path that explains the log, as a run. It is judged only where it has been: a session has not ended where its
        log does."""
        replay = Replay([*(answer.schedule or ())])
        graph = self._judging.graph
        walk = Walk(graph, replay.begin(graph))
        while walk.finding is None and (choice := replay.pick(walk.at)) is not None:
            if walk.take(choice):
                replay.took(choice, walk.at)
        return compare(self._scenario, walk.run(), f"sim status {self._entry.id} --page")


def _pending(journal: Journal, session: str) -> Iterator[str]:
    """What has not arrived, and since when: a page that is not drawn anew would not count on."""
    for mail in journal.mail(session):
        at = datetime.fromtimestamp(mail.sent_ms / 1000).strftime("%H:%M:%S")
        yield f"pending     {mail.message['@']} from {mail.source} to {mail.target}, since {at}"
