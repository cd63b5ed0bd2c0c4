"""A host runs the machines of a system for real: the ones that were checked, on asyncio, with a journal.

    host = Host(system, journal="run.db", adapters={"gemini": ChatAgent(...)}, links={"store": Stream("unix:/run/store")})
    async with host:
        await host.start("s1", rounds=3)
        await host.until_over("s1")

A process is *here* (a machine with a journal), *played* (an adapter stands for it) or *there* (another host has it). One
input is one transaction: what a machine becomes, sends, arms and emits is on the disk before anybody notices, so that a
stop at any moment is the crash that the model knows, and what was sent is sent until it has arrived. Nothing here is
simulated, and nothing of the graph is used: what a check with crashes and duplicates has said of the machines holds.
"""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections import deque
from collections.abc import Callable, Collection, Coroutine, Iterator, Mapping
from pathlib import Path
from typing import Any, Self, cast

from sim.base import printing
from sim.base.errors import ConfigError, SimError, failure, listing, unknown
from sim.host.adapter import Adapter
from sim.host.alarms import Alarms, Timer
from sim.host.arrivals import Arrivals
from sim.host.asking import Asking
from sim.host.carrier import Carrier
from sim.host.casts import Casts
from sim.host.clock import SteadyClock
from sim.host.database import Database
from sim.host.desk import Desk
from sim.host.given import by_class, by_link
from sim.host.hosted_session import BeyondTable, HostedSession
from sim.host.journal import Journal, open_journal
from sim.host.journal_records import Entry
from sim.host.left_behind import left_behind
from sim.host.link import Link, Parcel, Receipt, Sender
from sim.host.observer import Observer
from sim.host.port import Port
from sim.host.step import Step
from sim.machine.handler import Decide
from sim.system.declaration import Declaration

WISHES_S = 0.2
"""How often wishes are looked for."""

OPEN, OVER, STOPPED, FAILED = "open", "over", "stopped", "failed"
"""The states of a session: it goes on when its host does; every machine has come to rest; a limit or somebody has ended it; a
machine went beyond its table."""


class Host:
    """Hosts sessions of a system, or of what a function makes of each session's config.

    - `journal`: a path, an address of PostgreSQL, or a `Database`
    - `here`: the processes that are machines of this host; None: all that are neither played nor there
    - `adapters`, `links`: by process
    - `listen`: where other hosts bring what they send to processes of this one: a `Port` or its address
    - `decide`: for a machine here that chooses, a function that is told the outcomes and gives one
    - `carries`: see `sim.host.cast.Carries`; classes of messages or their names
    - `until`: when a session is over: for some processes the states that end it. None: when everything rests, if no process
      is there; else never
    - `pace`: how many times as fast timers run as the model says, to try things out
    - `leaves`: the folder for what a machine beyond its table leaves; None: nothing
    - `model`: its dotted name, for the journal and logs
    - `observer`: is told of inputs and calls (`sim.host.host_spans` makes spans of them)
    - `tell`: is told in one line what goes wrong outside, and that it is tried again

    Raises `ConfigError` or `ModelError` for what cannot be hosted.
    """

    def __init__(
        self,
        system: Declaration | Callable[..., Declaration],
        *,
        journal: str | Path | Database,
        here: Collection[str] | None = None,
        adapters: Mapping[str, Adapter] | None = None,
        links: Mapping[str, Link] | None = None,
        listen: str | Port | None = None,
        decide: Mapping[str, Decide] | None = None,
        carries: Mapping[Any, Any] | None = None,
        until: Mapping[str, Collection[str]] | None = None,
        pace: float = 1.0,
        leaves: str | Path | None = "counterexamples",
        model: str = "",
        observer: Observer | None = None,
        tell: Callable[[str], None] = printing.err,
    ) -> None:
        self.model, self._leaves = model, leaves
        self._alarms = Alarms(pace, self._fire)
        self.adapters, self.links = dict(adapters or {}), dict(links or {})
        self.port = Port(listen) if isinstance(listen, str) else listen
        self._until = {name: frozenset(states) for name, states in (until or {}).items()}
        self.tell = tell
        who = (here, self.adapters, self.links, dict(decide or {}), by_class(carries or {}))
        self._casts = Casts(system, model, self._until, *who)
        is_place = isinstance(journal, str | Path)
        self.journal = open_journal(str(journal), model) if is_place else Journal(cast(Database, journal), model)
        self.observer = observer
        if observer is not None:
            self.journal.told = self._observe
        self.running: dict[str, HostedSession] = {}
        self._clock = SteadyClock(tell)
        self._desk = Desk(self.journal, self.adapters, self._clock, tell)
        self._ready: deque[Callable[[], object]] = deque()
        self._wake = asyncio.Event()
        self._changed = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._queued: set[str] = set()
        """Sessions that are to be gone on with."""
        self.limit: Callable[[str], str] = lambda _: ""
        """Asked before each call that may cost something: why none may begin in this session, which then ends for now."""
        self._asking = Asking(self, self._desk, self._step, self._nothing_came, self._hold_back)
        self._carriers: list[Carrier] = []
        self._arrivals = Arrivals(self, self._step, self._after, self._fail)
        self._closing = False
        self.failure: BaseException | None = None
        """What has ended the host by itself."""

    def _observe(self, entry: Entry) -> None:
        """What was kept is true whatever whoever is told of it makes of it."""
        assert self.observer is not None
        try:
            self.observer.kept(self.journal, entry)
        except Exception as error:
            self.journal.told = None
            self.tell(f"nothing more is told to {type(self.observer).__name__}: {failure(error)}")

    # --- life -----------------------------------------------------------------------------------------

    async def open(self, sessions: Collection[str] | None = None) -> None:
        """Take the journal, and go on with its open sessions, or with these, whatever has ended them before they were over."""
        self._clock.begin_at(self.journal.hold())
        since = self.journal.lines + 1
        known = self.journal.sessions()
        for name in sessions or ():
            if name not in known:
                raise ConfigError(f"{self.journal.database.name}: {unknown('session', name, known)}")
        for name, (config, state, _, _) in known.items():
            wanted = state == OPEN if sessions is None else name in sessions and state != OVER
            if wanted:
                session = HostedSession(name, self._casts.of(config), self.journal, self._clock)
                with self._stopping(session):
                    session.recover()
                self._admit(session)
        self._spawn(self._work())
        self._spawn(self._wishes())
        sender = Sender(self.journal.id, self.model, uuid.uuid4().hex, since)
        for number, (link, targets) in enumerate(by_link(self.links)):
            carrier = Carrier(self.journal, sender, link, targets, self.tell, self._arrived)
            self._carriers.append(carrier)
            self._spawn(carrier.run(), f"link {number}")
        if self.port is not None:
            await self.port.open(self)

    async def __aenter__(self) -> Self:
        try:
            await self.open()
        except BaseException as error:
            self.failure = error
            await self.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Stop cleanly: all machines are down, whatever is in flight stays in the journal."""
        self._closing = True
        if self.port is not None:
            await self.port.close()
        self._alarms.close()
        for task in self._tasks:
            if not task.cancelling():  # who cleans up is not disturbed
                task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        try:
            if self.failure is None:
                for session in self.running.values():
                    self.journal.keep(session.stop())
        finally:
            self.running.clear()
            for adapter in dict.fromkeys(self.adapters.values()):
                await adapter.close()
            for link, _ in by_link(self.links):
                await link.close()
            if self.observer is not None:
                self.observer.close()
            self.journal.close()

    def _spawn(self, work: Coroutine[Any, Any, None], name: str = "") -> None:
        task = asyncio.get_running_loop().create_task(work, name=name or None)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        """Nothing more is done: whoever waits for a session is told."""
        if self.failure is None:
            self.failure = error
        for task in self._tasks:
            task.cancel()
        self._changed.set()

    # --- sessions -------------------------------------------------------------------------------------

    async def start(self, session_id: str, /, **config: Any) -> None:
        """Begin a session. Raises `ConfigError` if there is one of this name."""
        if not session_id or self.journal.sessions(session_id):
            raise ConfigError(f"session {session_id!r}: there is one of this name; choose another")
        session = HostedSession(session_id, self._casts.of(config), self.journal, self._clock)
        session.start(config)
        self._admit(session)

    def sessions(self) -> dict[str, str]:
        """All sessions of the journal, with their state."""
        return {name: state for name, (_, state, _, _) in self.journal.sessions().items()}

    def move(self, session_id: str, process: str, move: str) -> bool:
        """Make a `may` move; False where its process may not make it now. Raises `ConfigError` for what is not there."""
        session = self._session(session_id)
        if process not in session.cast.here:
            raise ConfigError(unknown("process", process, session.cast.here))
        table = session.cast.handlers[process].table
        if move not in table.may:
            raise ConfigError(f"{process}: {unknown('move', move, table.may)}")
        return self._step(session, lambda: session.move(process, move))

    def stop_session(self, session_id: str, why: str = "") -> None:
        """End a session for now: its machines are down. `open` with its name goes on with it; also without, where no reason
        is given."""
        self._end(self._session(session_id), STOPPED if why else OPEN, why)

    async def until_over(self, session_id: str) -> str:
        """Wait until a session is over; gives why. Raises what has ended the host, if it ends before."""
        session = self.running.get(session_id)
        if session is None:
            _, state, why, _ = self.journal.sessions(session_id).get(session_id, ({}, OPEN, "", 0))
            return (why or state) if state != OPEN else self._session(session_id).over
        while not session.over and self.failure is None:
            self._changed.clear()
            await self._changed.wait()
        if self.failure is not None:
            raise self.failure
        return session.over

    def _session(self, session_id: str) -> HostedSession:
        if session_id not in self.running:
            raise ConfigError(unknown("session", session_id, self.running))
        return self.running[session_id]

    def _admit(self, session: HostedSession) -> None:
        self.running[session.name] = session
        self._after(session)
        for process in session.cast.played:
            self._queue_deliveries(session, process)

    # --- what is done at once -------------------------------------------------------------------------

    async def _work(self) -> None:
        """Does what is ready, one thing after the other."""
        while True:
            while self._ready:
                self._ready.popleft()()
                await asyncio.sleep(0)
            self._wake.clear()
            if not self._ready:
                await self._wake.wait()

    def _do(self, work: Callable[[], object]) -> None:
        self._ready.append(work)
        self._wake.set()

    def _step(self, session: HostedSession, take: Callable[[], bool]) -> bool:
        """One input of a session, and what is ready behind it."""
        if session.over:
            return False
        with self._stopping(session):
            taken = take()
        if taken:
            self._after(session)
        return taken

    @contextlib.contextmanager
    def _stopping(self, session: HostedSession) -> Iterator[None]:
        """A machine beyond its table ends its session and this host."""
        try:
            yield
        except BeyondTable as error:
            error.left = left_behind(self.journal, session.name, error, self._leaves, self.model, self.tell)
            self._fail(error)
            with contextlib.suppress(SimError):
                self._end(session, FAILED, error.mistakes[0])
            raise

    def _after(self, session: HostedSession) -> None:
        """What an input has made ready: timers, moves that must be, messages, the end."""
        self._alarms.arm(session)
        if session.sent_away:
            session.sent_away = False
            for carrier in self._carriers:
                carrier.wake.set()
        if session.name not in self._queued:
            self._queued.add(session.name)
            self._do(lambda: self._go_on(session))

    def _fire(self, session: HostedSession, timer: Timer, handle: asyncio.TimerHandle) -> None:
        """The time of a timer is up: its machine hears it when its turn comes, if it is armed still."""

        def ring() -> None:
            if self._alarms.is_due(session, timer, handle) and not self._step(session, lambda: session.fire(*timer)):
                self._alarms.defer(session, timer)
                self._after(session)

        self._do(ring)

    def _go_on(self, session: HostedSession) -> None:
        """The next input that a session has ready: a move that must be made, else a message."""
        self._queued.discard(session.name)
        if session.over or self._closing:
            return
        if self._step(session, session.moves):
            return
        for target in session.cast.machines:
            for mail in session.deliverable(target):
                if target in session.cast.played and mail.fault is None:
                    continue
                if self._step(session, lambda m=mail: session.deliver(m)):  # type: ignore[misc]
                    return
        for timer in self._alarms.late(session):
            if self._step(session, lambda t=timer: session.fire(*t)):  # type: ignore[misc]
                return
        for target in session.cast.played:
            self._queue_deliveries(session, target)
        self._look_whether_over(session)

    def _queue_deliveries(self, session: HostedSession, target: str) -> None:
        if target in session.cast.played:
            for mail in session.deliverable(target):
                if mail.fault is None and self._asking.begun(mail):
                    self._spawn(self._asking.ask(session, mail))

    def _nothing_came(self, session: HostedSession) -> None:
        """Of a question: perhaps nothing will come any more at all."""
        self._do(lambda: self._look_whether_over(session))

    def _hold_back(self, session: HostedSession, why: str) -> None:
        """No call may begin any more: once those have ended that are under way, so does the session."""

        def end() -> None:
            if not session.over and not self._asking.under_way(session, people=False):
                self._end(session, STOPPED, why)

        self._do(end)

    def _look_whether_over(self, session: HostedSession) -> None:
        """A session is over where its `until` says so, else where nothing more happens by itself."""
        if session.over or self.failure is not None or session.name in self._queued:
            return
        cast, locals_ = session.cast, session.locals
        if self._until:
            ended = all(locals_[name].state in states for name, states in self._until.items() if name in cast.here)
            if ended and not self._is_busy(session):
                self._end(session, OVER, "")
        elif not cast.there and not self._is_busy(session):
            hot = [name for name in cast.here if cast.is_hot(name, locals_[name].state)]
            stuck = f"at rest, though {listing([f'{n} is {locals_[n].state}' for n in hot], 'and')}" if hot else ""
            self._end(session, FAILED if stuck else OVER, stuck)

    def _is_busy(self, session: HostedSession) -> bool:
        """Whether anything is under way: an answer, a timer, a message to another host; or a move from outside may come, and what
        is deferred waits for it. A fault that strikes where nobody heeds it is nothing."""
        if self._alarms.run(session) or self._asking.under_way(session):
            return True
        mails = (mail for waiting in session.waiting.values() for mail in waiting)
        is_deferred = any(mail.fault is None for mail in mails) or bool(self._alarms.late(session))
        if is_deferred and session.may_move():
            return True
        return bool(session.cast.there) and self.journal.has_mail(session.name, session.cast.there)

    def _end(self, session: HostedSession, state: str, why: str) -> None:
        entry = session.stop() if state in (OPEN, STOPPED) else Step(session.name)
        entry.session_state = (state, why)
        self.journal.keep(entry)
        session.over = why or state
        self.running.pop(session.name, None)
        self._alarms.end(session.name)
        self._changed.set()

    # --- links ------------------------------------------------------------------------------------------

    def _arrived(self, sessions: Collection[str]) -> None:
        """Messages of these sessions are kept by other hosts."""
        for name in sessions:
            if (session := self.running.get(name)) is not None:
                self._do(lambda s=session: self._look_whether_over(s))  # type: ignore[misc]

    def greet(self, sender: Sender) -> str:
        """Why nothing is taken of this host; empty if all is well."""
        return self._arrivals.greet(sender)

    def receive(self, parcel: Parcel) -> Receipt:
        """A message of another host. It is not kept while its session is not running, nor if no such host may send it."""
        return self._arrivals.receive(parcel)

    # --- wishes -------------------------------------------------------------------------------------------

    async def _wishes(self) -> None:
        """What somebody outside wants: a move, or to answer a question."""
        while True:
            for number, name, kind, said in self.journal.wishes():
                session = self.running.get(name)
                if session is None:
                    continue
                if kind == "answer":
                    self._desk.take(session, number, said)
                if kind == "move":
                    process, move = str(said.get("process")), str(said.get("move"))
                    known = process in session.cast.here and move in session.cast.handlers[process].table.may
                    if not known or not self._step(session, lambda: session.move(process, move, number)):  # noqa: B023
                        self.tell(
                            f"session {name}: {process} cannot make the move {move} now; nothing comes of that wish"
                        )
                        self.journal.drop_wish(number)
            await asyncio.sleep(WISHES_S)
