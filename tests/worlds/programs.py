"""Programs of a few coroutines, each with its twin in which the bug is mended."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, ClassVar

from sim.base.values import Emission, Message, Value
from sim.world.finding import Finding
from tests.worlds.execution import Aim, Program


class Added(Emission):
    total: int


class LostUpdate(Program):
    """Three tasks add one each, the later ones after a pause: who reads before another has written loses that."""

    names = ("one", "two", "three")
    aims = (Aim("all are done", "eventually", lambda program: program.added == 3),)

    def __init__(self, begin: Value) -> None:
        super().__init__(begin)
        self.total = 0
        self.added = 0

    async def task(self, name: str) -> None:
        await asyncio.sleep(0.01 * self.names.index(name))
        await self.add()

    async def add(self) -> None:
        seen = self.total
        await asyncio.sleep(0)
        self.total = seen + 1
        self.added += 1
        self.emit(Added(self.total))

    def wrong(self) -> Finding | None:
        if self.total == self.added:
            return None
        return Finding("nothing is lost", f"{self.added} were added, the total is {self.total}")


class LockedUpdate(LostUpdate):
    """The same under a lock."""

    def __init__(self, begin: Value) -> None:
        super().__init__(begin)
        self._lock = asyncio.Lock()

    async def add(self) -> None:
        async with self._lock:
            await super().add()


class Ask(Message):
    n: int


class Answer(Message):
    n: int


class Impatient(Program):
    """A client asks again when the answer is late, and takes the first that comes for the answer to its last."""

    names = ("client", "server")
    servers = ("server",)
    begins: ClassVar[tuple[Value, ...]] = ("quick", "slow")
    aims = (
        Aim("it is late once", "sometimes", lambda program: program.asked > 1),
        Aim("it is answered", "eventually", lambda program: program.answered > 0),
    )

    def __init__(self, begin: Value) -> None:
        super().__init__(begin)
        self.asked = 0
        self.answered = 0

    def task(self, name: str) -> Coroutine[Any, Any, None]:
        return self.client() if name == "client" else self.server()

    async def client(self) -> None:
        self.asked = 1
        self.send("server", Ask(1))
        try:
            async with asyncio.timeout(0.05):
                self.answered = await self.answer()
        except TimeoutError:
            self.asked = 2
            self.send("server", Ask(2))
            self.answered = await self.answer()

    async def answer(self) -> int:
        answer: Answer = await self.receive()
        return answer.n

    async def server(self) -> None:
        while True:
            ask: Ask = await self.receive()
            if self._begin == "slow":
                await asyncio.sleep(0.04)
            self.send("client", Answer(ask.n))

    def wrong(self) -> Finding | None:
        if self.answered in (0, self.asked):
            return None
        message = f"the answer to question {self.answered} is taken for the one to question {self.asked}"
        return Finding("answers fit", message)


class Careful(Impatient):
    """The same, and looks which question an answer is for."""

    async def answer(self) -> int:
        while (answer := await super().answer()) != self.asked:
            pass
        return answer


class Parcel(Message):
    pass


class Again(Message):
    pass


class Trusting(Program):
    """A reader waits for one parcel, however long it takes."""

    names = ("reader", "sender")
    servers = ("sender",)
    faults = "drop:1"

    def __init__(self, begin: Value) -> None:
        super().__init__(begin)
        self.got = False

    def task(self, name: str) -> Coroutine[Any, Any, None]:
        return self.reader() if name == "reader" else self.sender()

    async def reader(self) -> None:
        await self.receive()
        self.got = True

    async def sender(self) -> None:
        self.send("reader", Parcel())
        while True:
            await self.receive()
            self.send("reader", Parcel())


class Doubting(Trusting):
    """The same, and asks for another parcel when none has come for a while."""

    async def reader(self) -> None:
        try:
            async with asyncio.timeout(0.1):
                await super().reader()
        except TimeoutError:
            self.send("sender", Again())
            await super().reader()


class Ticking(Program):
    """Never comes to rest."""

    names = ("clock",)

    def __init__(self, begin: Value) -> None:
        super().__init__(begin)
        self.ticks = 0

    async def task(self, name: str) -> None:
        while True:
            await asyncio.sleep(1)
            self.ticks += 1


class Named(Message):
    name: str


class Sets(Program):
    """Goes by the order of a set of texts, which is another in every process."""

    names = ("writer", "reader")

    async def task(self, name: str) -> None:
        if name == "writer":
            for text in {"ash", "beech", "elm", "fir", "oak", "pine"}:
                self.send("reader", Named(text))


class Remembering(LostUpdate):
    """Goes by what earlier executions did."""

    executions = 0

    def __init__(self, begin: Value) -> None:
        super().__init__(begin)
        type(self).executions += 1
        self.total = type(self).executions

    def wrong(self) -> Finding | None:
        return None


BROKEN = {
    "lost update": (LostUpdate, LockedUpdate, "nothing is lost"),
    "impatient client": (Impatient, Careful, "answers fit"),
    "lost parcel": (Trusting, Doubting, "nobody waits for ever"),
}
"""Each program with a bug, its twin, and the property that the bug violates."""
