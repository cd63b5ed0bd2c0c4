"""`inject`: an injection point around ordinary code, as a decorator or as a context manager, plain or asynchronous.

    @inject(Agent("gemini"))
    async def ask(question): ...            # each call is an attempt

    @inject(lambda agent, question: Agent(agent))
    def ask(agent, question): ...           # the point depends on the arguments

    async with inject(CONSENSUS):           # and so is each entry
        ...

A planned fault is raised before the code runs; behind a closed gate nothing happens.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any, TypeVar, cast

from sim.faults.gate import next_fault
from sim.faults.points import FaultScope

CodeT = TypeVar("CodeT", bound=Callable[..., Any])


class Injection:
    """An injection point: it decorates functions, and is entered with `with` or `async with`, as often as you like."""

    def __init__(
        self, scope: str | FaultScope | Callable[..., str | FaultScope], target: str | None, kinds: Iterable[str] | None
    ) -> None:
        self._scope, self._target = scope, target
        self._kinds = kinds if kinds is None or isinstance(kinds, str) else tuple(kinds)

    def strike(self, *args: object, **named: object) -> None:
        """Raise the fault that is planned for this attempt, if any is; the arguments are those of the code."""
        scope = self._scope(*args, **named) if callable(self._scope) else self._scope
        fault = next_fault(scope, self._target, kinds=self._kinds)
        if fault is not None:
            raise fault

    def __call__(self, code: CodeT) -> CodeT:
        if inspect.iscoroutinefunction(code):

            @functools.wraps(code)
            async def struck_later(*args: Any, **named: Any) -> Any:
                self.strike(*args, **named)
                return await code(*args, **named)

            return cast(CodeT, struck_later)

        @functools.wraps(code)
        def struck(*args: Any, **named: Any) -> Any:
            self.strike(*args, **named)
            return code(*args, **named)

        return cast(CodeT, struck)

    def __enter__(self) -> None:
        self.strike()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...

    async def __aenter__(self) -> None:
        self.strike()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...


def inject(
    scope: str | FaultScope | Callable[..., str | FaultScope],
    target: str | None = None,
    *,
    kinds: Iterable[str] | None = None,
) -> Injection:
    """The injection point of `next_fault` with these arguments. `scope` may be a function of the decorated code's
    arguments."""
    return Injection(scope, target, kinds)
