"""Brings what a host sends to others over a link, until it has arrived.

What is on its way is on the disk: no more of it is in memory than the window of a link. What the other host does not take
holds back its own way (session, source, target) only, and is tried again after a while.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Sequence

from sim.base.errors import listing
from sim.host.journal import Journal
from sim.host.journal_records import Mail, Way
from sim.host.link import Link, Parcel, Sender

AT_ONCE = 64
"""How many messages a link has read from the disk at once."""
AGAIN_S = (0.05, 5.0)
"""How long a link, or an adapter with a failure that the model does not know, is left alone before the next try: at first,
and at most."""


class Waiting:
    """How long somebody is left alone: longer each time, up to a bound."""

    def __init__(self) -> None:
        self.wait_s = AGAIN_S[0]
        self.until_s = 0.0
        self.line = ""
        """What was told of it."""

    def again(self, now_s: float) -> None:
        self.until_s = now_s + self.wait_s
        self.wait_s = min(AGAIN_S[1], 2 * self.wait_s)


class Carrier:
    """Carries over one link what is sent to these processes; `arrived` is told the sessions of what has arrived."""

    def __init__(
        self,
        journal: Journal,
        sender: Sender,
        link: Link,
        targets: Sequence[str],
        tell: Callable[[str], None],
        arrived: Callable[[set[str]], None],
    ) -> None:
        self.journal, self.sender, self.link, self.targets = journal, sender, link, targets
        self.tell, self.arrived = tell, arrived
        self.wake = asyncio.Event()
        """Set when something was sent."""
        self.held: dict[Way, Waiting] = {}
        """What the other host did not take."""
        self._most = AT_ONCE
        """How many to carry at once: one after a break, so that it arrives even where no connection lasts, then more."""
        self._moved = False
        """Whether anything has arrived since the link broke last."""

    async def run(self) -> None:
        """Carry, for as long as nobody ends it."""
        down = Waiting()
        while True:
            self.wake.clear()
            try:
                goes_on = await self._pass()
            except OSError as error:
                down, self._moved, self._most = (Waiting() if self._moved else down), False, 1
                down.again(self._now_s())
                if not down.line:
                    down.line = f"{listing(self.targets, 'and')} cannot be reached"
                    self.tell(f"{down.line}: {error.strerror or error}; it is tried until it can")
                await asyncio.sleep(down.until_s - self._now_s())
                continue
            down = Waiting()
            if not goes_on:
                await self._wait()

    async def _wait(self) -> None:
        """Until something is sent, or it is time to try again."""
        again_s = min((held.until_s for held in self.held.values()), default=None)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(None if again_s is None else max(0.0, again_s - self._now_s())):
                await self.wake.wait()

    async def _pass(self) -> bool:
        """Go once through what is on its way; whether to do so again at once, as something that was held back is free.
        Raises `OSError` if the link is broken."""
        above, goes_on = 0, False
        passed: set[Way] = set()
        """Ways of which a message was left behind: what follows it waits too."""
        while batch := self.journal.mail_to(self.targets, above, self._most):
            above = batch[-1].id
            window = [mail for mail in batch if self._is_due(mail, passed)]
            if window and await self._carry(window, passed):
                goes_on = True
            await asyncio.sleep(0)
        self.held = {way: held for way, held in self.held.items() if way in passed}
        return goes_on

    def _is_due(self, mail: Mail, passed: set[Way]) -> bool:
        """Whether to carry it in this pass: of what was not taken the last time only the first, when its time has come."""
        if mail.way in passed:
            return False
        held = self.held.get(mail.way)
        if held is None:
            return True
        passed.add(mail.way)
        return held.until_s <= self._now_s()

    async def _carry(self, window: Sequence[Mail], passed: set[Way]) -> bool:
        """Carry these at once; whether any way that was held back is free again."""
        receipts = await self.link.carry(self._parcels(window))
        kept: list[Mail] = []
        left: set[Way] = set()
        freed = False
        for mail, receipt in zip(window, receipts, strict=False):
            if mail.way in left:
                continue
            if receipt.kept:
                kept.append(mail)
                freed |= self.held.pop(mail.way, None) is not None
            else:
                left.add(mail.way)
                self._hold(mail, receipt.line)
        passed |= left
        if kept:
            self._moved = True
            self.journal.has_arrived(kept)
            self.arrived({mail.session for mail in kept})
        if len(receipts) < len(window):
            raise ConnectionResetError("the connection broke")
        self._most = min(AT_ONCE, 2 * self._most)
        return freed

    def _hold(self, mail: Mail, line: str) -> None:
        """Leave its way alone for a while. A refusal is told, and a session that is not running there once it takes long."""
        held = self.held.setdefault(mail.way, Waiting())
        if line:
            held.wait_s = AGAIN_S[1]
        elif held.wait_s == AGAIN_S[1]:
            line = f"session {mail.session} is not running there"
        held.again(self._now_s())
        if line and line != held.line:
            held.line = line
            self.tell(f"a message from {mail.source} to {mail.target} is not taken: {line}; it is tried until it is")

    def _parcels(self, window: Sequence[Mail]) -> Iterator[Parcel]:
        """Each with its payloads, which are read when it is their turn."""
        before: dict[Way, int] = {}
        for mail in window:
            after = before.get(mail.way)
            if after is None:
                after = self.journal.arrived_last(mail.way)
            before[mail.way] = mail.id
            yield Parcel(self.sender, mail, after, self.journal.texts(mail.texts))

    def _now_s(self) -> float:
        return asyncio.get_running_loop().time()
