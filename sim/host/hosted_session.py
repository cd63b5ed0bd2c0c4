"""One session of a host: its machines, what is in flight to them, and what becomes of both with one input.

Everything here happens at once, without waiting for anybody: an input is taken by the machine's handler, what comes of it is
kept by the journal in one transaction, and only then is it true. Who drives it is `sim.host.host`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sim.base.errors import ModelError, SimError
from sim.base.values import Emission, Fault, Message, Value, show
from sim.faults import RateLimited
from sim.host.adapter import AdapterError, Question, Reply
from sim.host.cast import Cast
from sim.host.in_flight import arrival, message_of, put_of, struck
from sim.host.journal import Journal
from sim.host.journal_records import SENT_BITS, Came, Kept, Line, Mail, digest_of
from sim.host.payloads import carried, rejects, texts_of
from sim.host.played import NotAllowed, check_heeded, chooser, in_words, paid_for, really_used, struck_by
from sim.host.step import Armed, Step
from sim.host.taken_over import taken_over
from sim.machine.handler import Handler, Local, Outcome, is_unhandled
from sim.machine.ledgers import Crashed, Received, Restarted
from sim.machine.outputs import Emit, Send, puts_in
from sim.machine.table import DOWN, FAILED


class BeyondTable(SimError):
    """A machine did what its model does not allow, or a monitor was violated: nothing of this input was kept. `lines` are
    those that it would have had, as in a trace."""

    def __init__(self, mistake: str, session: str, lines: Sequence[Line]) -> None:
        super().__init__(mistake)
        self.session, self.lines = session, tuple(lines)
        self.left: list[str] = []
        """The files that tell of it."""


class HostedSession:
    """A session; `clock` gives milliseconds since 1970, and never goes back."""

    def __init__(self, name: str, cast: Cast, journal: Journal, clock: Callable[[], int]) -> None:
        self.name, self.cast, self.journal, self.clock = name, cast, journal, clock
        self.locals: dict[str, Local] = {}
        self.waiting: dict[str, list[Mail]] = {}
        """What is in flight to the machines of this host, by target, in the order of sending."""
        self.armed: list[Armed] = []
        """Timers that were armed since somebody looked."""
        self.sent_away = False
        """Whether something was sent to another host since somebody looked."""
        self.over: str = ""
        """Why it is over; empty while it goes on."""
        self._messages: dict[int, Message] = {}
        """What is in `waiting` and was sent since the host began: it need not be read again."""
        self._unmoved: dict[str, Local] = {}
        """In what state a machine was last found to have no move that it must make."""
        self._due: dict[str, dict[str, int]] = {}
        self._dumped: dict[str, tuple[tuple[Value, ...], tuple[Any, ...]]] = {}

    # --- beginning and ending -----------------------------------------------------------------------

    def start(self, config: Mapping[str, Any]) -> None:
        """The session begins: every machine of this host starts, and all of that is kept at once."""
        entry = Step(self.name)
        for name in self.cast.monitors:
            self._admit(entry, name, self.cast.monitors[name].initial()[0].local)
        for name in self.cast.machines:
            handler = self.cast.handlers[name]
            (outcome,) = handler.initial(self._decider(name))[:1]
            self._add(entry, name, {"start": True}, outcome)
        self.journal.begin(self.name, config, entry, self.clock())
        self._settle(entry)

    def recover(self) -> None:
        """The session goes on after a stop, as the model does after a crash: each machine of this host begins in its initial
        state, with its durable fields and without timers. What stands for others has not stopped. Raises `ConfigError` for
        what the classes cannot take over; then nothing is changed."""
        kept = self.journal.machines(self.name)
        found = taken_over(self.journal, self.name, self.cast, kept)
        self.locals.update((name, found[name]) for name in self.cast.monitors)
        entry = Step(self.name, session_state=("open", ""))
        for name in self.cast.machines:
            handler, before = self.cast.handlers[name], found[name]
            if name in self.cast.here:
                if before.state != DOWN:
                    self._crash(entry, name, before)
                (outcome,) = handler.restart(handler.down(before.fields), self._decider(name))[:1]
                self._add(entry, name, {"restart": True}, outcome, first=(Restarted(name),))
            else:
                entry.locals[name] = before
        for mail in self.journal.mail(self.name, self.cast.machines):
            self.waiting.setdefault(mail.target, []).append(mail)
        self.sent_away = True  # what is on its way to other hosts stays on the disk
        self.journal.keep(entry)
        self._settle(entry)

    def stop(self) -> Step:
        """What is to be kept when the host stops: all its machines are down."""
        entry = Step(self.name)
        for name in self.cast.here:
            if self.locals[name].state != DOWN:
                self._crash(entry, name, self.locals[name])
        return entry

    def _crash(self, entry: Step, name: str, before: Local) -> None:
        down = self.cast.handlers[name].down(before.fields)
        self._add(entry, name, {"crash": True}, Outcome(down, (), (), (), None), last=(Crashed(name),))

    # --- inputs -------------------------------------------------------------------------------------

    def moves(self) -> bool:
        """Make the first move that a machine must make by itself; False if there is none. Guards know nothing but their
        machine: one that is as it was is not asked again."""
        for process in self.cast.here:
            local = self.locals[process]
            if self._unmoved.get(process) is not local:
                if any(self.move(process, move) for move in self.cast.must(process, local.state)):
                    return True
                self._unmoved[process] = local
        return False

    def deliverable(self, target: str) -> list[Mail]:
        """What may be given to this process now, unless it defers it: where its link keeps the order, the first only."""
        found: list[Mail] = []
        blocked = set()
        for mail in self.waiting.get(target, ()):
            if mail.source in blocked:
                continue
            if self.cast.network(mail.source, target) == "fifo":
                blocked.add(mail.source)
            found.append(mail)
        return found

    def deliver(self, mail: Mail, came: Came | None = None) -> bool:
        """Give a machine of this host a message; False where it defers it, or where it has no row for the fault that comes of
        it: by its model no fault strikes there. `came` says where from, if it is from another host."""
        message = self._message(mail, came)
        fault = struck(self.cast, mail, message)
        trigger: type = type(message) if fault is None else type(fault)
        given = message if fault is None else fault
        handler, before = self.cast.handlers[mail.target], self.locals[mail.target]
        outcomes = handler.react(before, trigger, given, mail.source, self._decider(mail.target))
        if outcomes is None or (fault is not None and is_unhandled(outcomes[0].local)):
            return False
        entry = Step(self.name, taken=None if came else mail, came=came)
        first = (Received(mail.target, message),) if fault is None else ()
        self._add(entry, mail.target, arrival(mail, fault), outcomes[0], first=first, mail=mail)
        self._bring(entry, mail, outcomes[0])
        self._keep(entry)
        return True

    def put_aside(self, mail: Mail, came: Came, texts: Mapping[str, str]) -> None:
        """Keep a message of another host that is deferred here: from now on it is in flight here. The line says nothing; it
        gives the message its number."""
        line = Line(self.journal.lines + 1, self.name, mail.target, {}, self.clock())
        kept = replace(mail, id=line.n << SENT_BITS)
        entry = Step(self.name, came=came, lines=[line], texts=dict(texts))
        self._replace(entry, kept)
        entry.sent.append(kept)
        self._keep(entry)

    def question(self, mail: Mail) -> Question | None:
        """What an adapter is asked about this message; None where the model's process defers it now, or a newer is there."""
        if mail not in self.waiting[mail.target]:
            return None
        message = self._message(mail)
        options: list[tuple[Value, ...]] = []

        def look(outcomes: tuple[Value, ...]) -> Value:
            options.append(outcomes)
            return outcomes[0]

        handler = self.cast.handlers[mail.target]
        found = handler.react(self.locals[mail.target], type(message), message, mail.source, look)
        if found is None:
            return None
        texts = self.journal.texts(mail.texts)
        brought = texts_of(self.cast, self.journal, mail, texts)
        key = self.key_of(mail.id)
        answers = options[0] if options else ()
        return Question(self.name, mail.target, mail.source, message, key, answers, brought)

    def key_of(self, mail: int) -> str:
        """The idempotency key of a question about this message."""
        return f"{self.journal.id}/{mail}"

    def answer(self, mail: Mail, reply: Reply, began_ms: int | None = None, wish: int | None = None) -> bool:
        """An adapter has answered: the model's process does what it says. False where it defers the message after all, or a
        newer one has taken its place.
        Raises `AdapterError` for an answer that the model does not allow, `Cannot` for a failure that it does not know."""
        message, name = self._message(mail), mail.target
        if mail not in self.waiting[name]:
            return False
        handler = self.cast.handlers[name]
        try:
            outcomes = handler.react(self.locals[name], type(message), message, mail.source, chooser(name, reply))
        except NotAllowed as error:
            raise AdapterError(*error.mistakes) from None
        if outcomes is None:
            return False
        outcome = outcomes[0]
        fault = struck_by(self.cast, outcome, reply.failure)
        if fault is not None:
            check_heeded(self.cast, self.locals, name, outcome, fault)
        outcome = outcome._replace(outputs=tuple(really_used(output, reply) for output in outcome.outputs))
        entry = Step(self.name, taken=mail, wish=wish)
        hashes: tuple[str, ...] = ()
        if reply.text is not None:
            hashes = (digest_of(reply.text),)
            entry.texts[hashes[0]] = reply.text
        first = (Received(name, message),)
        self._add(entry, name, arrival(mail, None), outcome, first=first, mail=mail, hashes=hashes, struck=fault)
        if began_ms is not None:
            entry.ended = (mail.id, began_ms, paid_for(reply, self.clock()))
        self._keep(entry)
        return True

    def fire(self, process: str, timer: str) -> bool:
        """A timer ends; False if it is no longer armed, or its machine does not heed it now."""
        if timer not in self.locals[process].timers:
            return False
        return self._own(process, timer, {"fire": timer})

    def move(self, process: str, move: str, wish: int | None = None) -> bool:
        """A machine makes a move of its own; False where it may not."""
        return self._own(process, move, {"move": move}, wish)

    def _own(self, process: str, trigger: str, given: dict[str, Any], wish: int | None = None) -> bool:
        outcomes = self.cast.handlers[process].react(self.locals[process], trigger, decide=self._decider(process))
        if not outcomes:
            return False
        entry = Step(self.name, wish=wish)
        self._add(entry, process, given, outcomes[0])
        self._keep(entry)
        return True

    def may_move(self) -> bool:
        """Whether a machine may make a move that somebody outside asks for. It is tried, and nothing comes of it."""
        for handler in map(self.cast.handlers.__getitem__, self.cast.here):
            local = self.locals[handler.name]
            if any(handler.react(local, move, decide=lambda outcomes: outcomes[0]) for move in handler.table.may):
                return True
        return False

    # --- what comes of an input -----------------------------------------------------------------------

    def _add(
        self,
        entry: Step,
        process: str,
        given: dict[str, Any],
        outcome: Outcome,
        *,
        first: tuple[Emission, ...] = (),
        last: tuple[Emission, ...] = (),
        mail: Mail | None = None,
        hashes: tuple[str, ...] = (),
        struck: Fault | None = None,
    ) -> None:
        """Adds to an entry what one machine did with one input."""
        n = (entry.lines[-1].n if entry.lines else self.journal.lines) + 1
        at_ms = self.clock()
        dump = self.cast.codec.dump
        puts = [*puts_in(outcome.outputs)]
        dumped = [dump(put.message if isinstance(put, Send) else put.emission) for put in puts]
        said: dict[str, Any] = {"input": given, "outputs": [*map(put_of, puts, dumped)]}
        local = outcome.local
        if mail is not None and mail.cause:
            said["cause"] = mail.cause
        if hashes:
            said["texts"] = hashes
        line = Line(n, self.name, process, said, at_ms)
        entry.lines.append(line)
        if local.state == FAILED:
            raise BeyondTable(f"session {self.name}: {local.fields[1]}", self.name, entry.lines)
        if local.state != DOWN:
            said["state"] = local.state
        kept = self._admit(entry, process, local, outcome)
        if local.state != DOWN:
            said["fields"] = kept.fields
        sends = [(put, message) for put, message in zip(puts, dumped, strict=True) if isinstance(put, Send)]
        for number, (send, message) in enumerate(sends):
            more = carried(self.cast, self.journal, self.name, process, send.message, mail, puts)
            self._send(entry, line, number, send, message, (*hashes, *more), struck)
        emitted = (*first, *(put.emission for put in puts if isinstance(put, Emit)), *last)
        for emission in emitted if self.cast.monitors else ():
            self._hear(entry, emission)

    def _admit(self, entry: Step, name: str, local: Local, outcome: Outcome | None = None) -> Kept:
        """This machine is now so."""
        due: dict[str, int] = {}
        if outcome is not None:
            before = self._due.get(name, {})
            arms = {arm.timer: arm for arm in outcome.arms}
            for timer in local.timers:
                arm = arms.get(timer)
                if arm is not None:
                    for_ms = random.randint(arm.low_ms, arm.high_ms)  # noqa: S311 - so that hosts do not march in step
                    entry.armed.append(Armed(name, timer, for_ms))
                    due[timer] = self.clock() + for_ms
                else:
                    due[timer] = before.get(timer, self.clock())
            self._due[name] = due
        entry.locals[name] = local
        handler = self.cast.handlers.get(name) or self.cast.monitors[name]
        kind = f"{handler.cls.__module__}.{handler.cls.__qualname__}"
        role, place = self.cast.roles[name]
        kept = Kept(local.state, self._written(name, handler, local.fields), due, kind, role, place)
        entry.machines[name] = kept
        return kept

    def _written(self, name: str, handler: Handler, values: tuple[Value, ...]) -> dict[str, Any]:
        """The fields as JSON; what has not changed is not written again."""
        dump, known = self.cast.codec.dump, self._dumped.get(name)
        if known is None:
            dumped = tuple(map(dump, values))
        else:
            pairs = zip(values, *known, strict=True)
            dumped = tuple(text if value is before else dump(value) for value, before, text in pairs)
        self._dumped[name] = values, dumped
        return dict(zip(handler.fields, dumped, strict=True))

    def _send(
        self,
        entry: Step,
        line: Line,
        number: int,
        send: Send,
        message: dict[str, Any],
        texts: tuple[str, ...],
        struck: Fault | None,
    ) -> None:
        process = line.process
        if number >> SENT_BITS:
            raise ModelError(f"{process} sends more than {1 << SENT_BITS} messages at once; a host takes no more")
        target = self.cast.target(process, send.target, send.message)
        fault: dict[str, Any] | None = None
        if struck is not None and type(send.message) in self.cast.system.carriers[type(struck)]:
            fault = {"kind": struck.kind}
            if isinstance(struck, RateLimited) and struck.reset_ms is not None:
                fault["reset_ms"] = struck.reset_ms
        sent = Mail(
            (line.n << SENT_BITS) | number,
            self.name,
            process,
            target,
            message,
            fault,
            texts,
            f"{self.journal.id[:8]}/{line.n}",
            line.at_ms,
        )
        self._replace(entry, sent)
        entry.sent.append(sent)
        entry.messages[sent.id] = send.message

    def _replace(self, entry: Step, newer: Mail) -> None:
        """Where the network says `latest`, a newer message takes the place of an older one of its class on its link."""
        if self.cast.network(newer.source, newer.target) != "latest":
            return

        def is_older(mail: Mail) -> bool:
            return mail.way == newer.way and mail.message["@"] == newer.message["@"]

        entry.replaced += [one.id for one in self.waiting.get(newer.target, ()) if is_older(one)]
        entry.sent = [one for one in entry.sent if not is_older(one)]

    def _hear(self, entry: Step, emission: Emission) -> None:
        for name in self.cast.hearing(type(emission)):
            local = entry.locals.get(name) or self.locals[name]
            outcomes = self.cast.monitors[name].react(local, type(emission), emission)
            if outcomes is None or len(outcomes) != 1:
                raise ModelError(f"monitor {name!r} must take {type(emission).__name__} in exactly one way")
            after = outcomes[0].local
            if after.state == FAILED:
                raise BeyondTable(f"session {self.name}: {name}: {after.fields[1]}", self.name, entry.lines)
            if after != local:
                self._admit(entry, name, after)

    def _keep(self, entry: Step) -> None:
        """The entry becomes true; if it cannot be kept, nothing of it is."""
        self.journal.keep(entry)
        self._settle(entry)

    def _settle(self, entry: Step) -> None:
        """What it has changed is so now."""
        self.locals.update(entry.locals)
        self.armed += entry.armed
        if entry.taken is not None:
            self.waiting[entry.taken.target].remove(entry.taken)
            self._messages.pop(entry.taken.id, None)
        for number in entry.replaced:
            self._messages.pop(number, None)
        for mail in entry.sent:
            if mail.target in self.cast.machines:
                queue = self.waiting.setdefault(mail.target, [])
                if entry.replaced:
                    queue[:] = [one for one in queue if one.id not in entry.replaced]
                queue.append(mail)
                if (message := entry.messages.get(mail.id)) is not None:
                    self._messages[mail.id] = message
            else:
                self.sent_away = True

    # --- payloads -------------------------------------------------------------------------------------

    def _bring(self, entry: Step, mail: Mail, outcome: Outcome) -> None:
        """Payloads that a machine took may go on with what it sends, but for those of what it rejected."""
        if mail.texts and not rejects(puts_in(outcome.outputs)):
            entry.brought += [(mail.target, mail.message, digest) for digest in mail.texts]

    def _message(self, mail: Mail, came: Came | None = None) -> Message:
        """The message itself. The number of one that `came` from another host is not of ours."""
        known = self._messages.get(mail.id) if came is None else None
        return message_of(self.cast, mail) if known is None else known

    def _decider(self, process: str) -> Callable[[tuple[Value, ...]], Value] | None:
        """Who chooses for a machine of this host."""
        decide = self.cast.decide.get(process)
        if decide is None:
            return None

        def choose(outcomes: tuple[Value, ...]) -> Value:
            chosen = decide(outcomes)
            if chosen not in outcomes:
                raise ModelError(f"decide of {process} gave {show(chosen)}; expected one of {in_words(outcomes)}")
            return chosen

        return choose
