"""Tasks and futures of a run, which hash by numbers, so that sets of them have one order in every process."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sim.live.loop import LiveLoop


class LiveTask(asyncio.Task):  # type: ignore[type-arg]
    """A task that hashes by its number, so that sets of tasks have one order in every process."""

    number: int
    called: str
    """Its name in schedules."""
    base: str
    """Its name but for the number that tells it from others of that name."""
    maker: str
    """Who has made it; empty of those that `world.task` makes."""
    root: str
    """The task or server that it works for."""
    stepped: int
    """The step in which it last ran; 0: it has not begun."""
    struck: int
    """How often a fault has cancelled it."""
    token: int
    """64 bits for its name."""
    gone: bool
    """Whether it was lost in a crash."""

    def __new__(cls, coro: Any, *, loop: LiveLoop, name: str | None = None, **_: Any) -> LiveTask:
        task = super().__new__(cls)
        task.number = loop.count()  # its hash is asked for while it is made
        task.stepped, task.struck, task.gone, task.maker = 0, 0, False, ""
        loop.run.made(task, coro, name)
        return task

    def __init__(self, coro: Any, *, loop: LiveLoop, name: str | None = None, **rest: Any) -> None:
        super().__init__(coro, loop=loop, name=name or self.called, **rest)

    def __hash__(self) -> int:
        return self.number

    def set_name(self, value: object) -> None:
        super().set_name(value)
        if not self.stepped:
            loop: Any = self.get_loop()
            loop.run.rename(self, str(value))


class EagerTask(LiveTask):
    """A task that begins before it is made. One that has ended by then has forgotten its coroutine, and in Python 3.12.1 dies
    when it is asked for it."""

    def __init__(self, coro: Any, *, loop: LiveLoop, **rest: Any) -> None:
        self._coroutine, self.stepped = coro, loop.run.steps
        super().__init__(coro, loop=loop, eager_start=True, **rest)

    def get_coro(self) -> Any:
        return self._coroutine


class LiveFuture(asyncio.Future):  # type: ignore[type-arg]
    """A future that hashes by a number, which it gets when it is first asked for its hash: most never are."""

    number: int | None = None

    def __hash__(self) -> int:
        if self.number is None:
            loop: Any = self.get_loop()
            self.number = loop.count()
        return self.number
