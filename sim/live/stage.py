"""What `main` is given: its way to name things, so that faults, properties and schedules can speak of them."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

from sim.base.errors import ModelError, RefusedError
from sim.base.values import describe
from sim.live import emitting
from sim.live.holding import no_recorder
from sim.live.surroundings import surroundings

if TYPE_CHECKING:
    from sim.live.agents.answers import Answers
    from sim.live.agents.provider import Provider
    from sim.live.execution import Execution
    from sim.live.processes.live_process import LiveProcess

T = TypeVar("T")
HTTPS = "443"
"""At this port endpoints speak TLS."""
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Stage:
    """The world of a program, as its `main` sees it. What makes no sense ends the run with a line that says so."""

    def __init__(self, run: Execution) -> None:
        self._its_run = run

    @property
    def _run(self) -> Execution:
        """The run, while it is one."""
        run = self._its_run
        if emitting.active is not run:
            raise surroundings.refuse("this world is that of another run; use the one that main is given")
        return run

    def __repr__(self) -> str:
        return "<world>"

    def task(self, name: str, coroutine: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """A task of this name, which faults can name too; the second of a name is `name#2`."""
        if not inspect.iscoroutine(coroutine):
            raise self._run.refused(
                f"world.task: {describe(coroutine)} is not a coroutine; call the function: use(pool)"
            )
        try:
            return self._run.spawn(self._named("world.task", name), coroutine)
        except RefusedError:
            coroutine.close()
            raise

    def watch(self, name: str, thing: object) -> None:
        """Let properties read `thing` by this name: an object, or a function that is asked each time."""
        if not isinstance(name, str) or not name.isidentifier():
            raise self._run.refused(
                f"world.watch: {describe(name)} is not a name; write letters, digits and _, such as pool"
            )
        self._run.watching.watched[name] = thing

    @property
    def recorder(self) -> Any:
        """A `sim.conform.recorder.Recorder` of this run: what is recorded with it is held against the model that the program
        `conforms` to. Of a program without one it records nothing."""
        log = self._run.log
        return no_recorder() if log is None else log.recorder

    def preempt(self, *modules: ModuleType) -> None:
        """Let threads that begin after this give way at each line of these modules, where another thread or the loop may come
        between."""
        for module in modules:
            if not isinstance(module, ModuleType):
                raise self._run.refused(f"world.preempt: {describe(module)} is not a module; import it, and give it")
            try:
                self._run.threads.lines.add(module)
            except LookupError:
                raise self._run.refused(f"world.preempt: {module.__name__} has no lines of Python") from None

    @property
    def folder(self) -> Path:
        """A folder of this run, empty at its beginning and gone after it: the only place where it may write files."""
        return self._run.make_folder()

    def serve(
        self, address: str | tuple[str, int], handler: Handler, *, name: str | None = None, tls: bool = False
    ) -> str:
        """Run `handler(reader, writer)` for everybody who connects to `address`: `redis:6379`, or a path such as
        `/run/redis.sock`. With `tls` the network does TLS for it, and clients trust that. Returns the name by which faults and schedules know it: `name`, or else the host. It may wait
        forever, and ends with the run; that its client is gone (`ConnectionError`) it need not take."""
        if not callable(handler):
            raise self._run.refused(
                f"world.serve: {describe(handler)} is not a handler; write async def handler(reader, writer)"
            )
        if name is not None:
            self._named("world.serve", name)
        try:
            return self._run.servers.add(address, handler, name, tls=tls)
        except ModelError as error:
            raise self._run.refused(str(error)) from None

    def serve_openai(
        self, address: str | tuple[str, int] = "api.openai.com:443", *, answers: Answers, name: str | None = None
    ) -> str:
        """A simulated endpoint of OpenAI: chat completions, responses and embeddings. `answers`: a text, a list of them, a
        table by prompt, or a function of what is asked. Returns the name by which faults know it."""
        from sim.live.agents.openai_words import OpenAI

        return self._serve_agents("world.serve_openai", address, OpenAI(), answers, name or "openai")

    def serve_anthropic(
        self, address: str | tuple[str, int] = "api.anthropic.com:443", *, answers: Answers, name: str | None = None
    ) -> str:
        """A simulated endpoint of Anthropic: messages. Otherwise as `serve_openai`."""
        from sim.live.agents.anthropic_words import Anthropic

        return self._serve_agents("world.serve_anthropic", address, Anthropic(), answers, name or "anthropic")

    def _serve_agents(
        self, call: str, address: str | tuple[str, int], provider: Provider, answers: Answers, name: str
    ) -> str:
        from sim.live.agents.agent_endpoint import AgentEndpoint

        try:
            endpoint = AgentEndpoint(self._run, provider, answers)
        except ModelError as error:
            raise self._run.refused(f"{call}: {error}") from None
        port = address[1] if isinstance(address, tuple) else address.rstrip("/").rpartition(":")[2]
        return self.serve(address, endpoint.talk, name=name, tls=str(port) == HTTPS)

    def command(
        self,
        words: str | Sequence[str],
        handler: Callable[[LiveProcess], Awaitable[int | None]],
        *,
        name: str | None = None,
    ) -> str:
        """Run `handler(process)` where the program starts a process by asyncio whose command line begins with these
        `words`; of several the longest is meant. Returns the name by which faults and schedules know it: `name`, or else its
        first word. What `handler` returns is the exit status, None is 0."""
        if not callable(handler):
            raise self._run.refused(
                f"world.command: {describe(handler)} is not a handler; write async def handler(process)"
            )
        if name is not None:
            self._named("world.command", name)
        try:
            return self._run.processes.commands.add(words, handler, name)
        except ModelError as error:
            raise self._run.refused(str(error)) from None

    def _named(self, call: str, name: object) -> str:
        """A name that a plan can write."""
        if not isinstance(name, str) or not name.replace("-", "_").isidentifier():
            raise self._run.refused(
                f"{call}: {describe(name)} is not a name; write letters, digits, - and _, such as client"
            )
        return name
