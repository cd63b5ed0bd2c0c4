"""An agent that is a command: it reads the prompt from its input and writes its answer.

It is started without a shell, in a group of processes of its own, which is killed as a whole when it ends, when its time is
up, when it writes too much, or when the host stops. Of the environment it sees what every command needs, and what is named.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sim.base.errors import ConfigError, brief
from sim.base.values import Value
from sim.consensus import ErrorKind, Failure
from sim.host.adapter import AdapterError, Question, Reply
from sim.host.secret import Secret, environment, hidden
from sim.host.tries import Tries
from sim.host.wording import INVALID, Parse, Prompt, answer_in, asked, unreadable

USUAL_ENV = ("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "TERM")
"""Variables that every command sees."""
BYTES_MAX = 1 << 20
"""Bytes of an answer that are read."""
ERROR_MAX = 4096
"""Bytes of what it writes on its standard error that are looked at."""
LEFT_OPEN_S = 1.0
"""How long the output of a command that has ended is read, where a process that has left its group holds it open."""
MISSING = (126, 127)
"""What a command exits with that only starts another one, which is not there."""


class CommandAgent:
    """Runs `command`, a list of arguments, for each question.

    - `prompt`: makes of a message, or of (message, question), what is written to its input: a text, or messages, of which
      the contents are written
    - `parse`: makes of what it has written an answer that the model's process could give
    - `env`: names of further variables that it sees, such as that of its key; their values are hidden in what it says
    - `folder`: where it runs; by default where the host does

    It finds the key of the question, which is the same each time, in `ROUNDSIM_QUESTION`. One that exits with another status
    than 0 has failed for a reason that nobody knows (`UNKNOWN`). Raises `ConfigError` for what can never work.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        prompt: Prompt,
        parse: Parse,
        timeout_ms: int = 600_000,
        bytes_max: int = BYTES_MAX,
        env: Sequence[str] = (),
        folder: str | Path | None = None,
        invalid: Value = INVALID,
        model: str = "",
    ) -> None:
        if isinstance(command, str) or not command or not all(isinstance(one, str) and one for one in command):
            raise ConfigError("command: expected a list of arguments, such as [gemini, --print]; no shell reads it")
        if not hasattr(os, "killpg"):
            raise ConfigError("command: this system has no groups of processes, so none could be ended whole")
        if type(timeout_ms) is not int or timeout_ms < 1 or type(bytes_max) is not int or bytes_max < 1:
            raise ConfigError("timeout_ms and bytes_max: expected whole numbers of 1 or more")
        self.command, self.prompt, self.parse, self.invalid = tuple(command), prompt, parse, invalid
        self.timeout_ms, self.bytes_max, self.folder = timeout_ms, bytes_max, folder
        self.model = model or Path(command[0]).name
        self.secrets = tuple(map(Secret, env))
        self._tries = Tries()

    def __repr__(self) -> str:
        return f"CommandAgent({self.command[0]!r})"

    async def close(self) -> None:
        pass  # what it runs ends with the question that it runs for

    async def ask(self, question: Question) -> Reply:
        prompt = _text(asked(self.prompt, question, self.parse), question)
        facts: dict[str, Any] = {"gen_ai.operation.name": "chat", "gen_ai.request.model": self.model}
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            async with asyncio.timeout(self.timeout_ms / 1000):
                status, out, err = await self._run(prompt, question)
        except TimeoutError:
            return self._missed(question, ErrorKind.TIMEOUT, facts)
        finally:
            facts["duration_ms"] = round((loop.time() - began) * 1000)
        if out is None:
            return self._missed(question, ErrorKind.INVALID, {**facts, "error.type": "too large"})
        facts["process.exit.code"] = status
        if status in MISSING:
            raise AdapterError(
                f"{question.process}: {brief(self.command[0])} exits with {status}: what it starts is not there"
            )
        if status:
            last = hidden(err.decode(errors="replace"), self.secrets).strip().rpartition("\n")[2].strip()
            return self._missed(question, ErrorKind.UNKNOWN, {**facts, "error.message": brief(last)})
        text = hidden(out.decode(errors="replace"), self.secrets)
        if not text.strip():
            return self._missed(question, ErrorKind.EMPTY, facts)
        answer = answer_in(text, self.parse, question, self.invalid)
        self._tries.done(question)
        return Reply(answer, None, text, None, self.model, facts)

    def _missed(self, question: Question, kind: ErrorKind, facts: dict[str, Any]) -> Reply:
        facts.setdefault("error.type", kind.name.lower())
        answer, left = unreadable(question, self.invalid) if kind is ErrorKind.INVALID else (None, Failure(kind))
        if left is not None:
            self._tries.count(question, left, brief(self.command[0]))
        return Reply(answer, left, None, None, self.model, facts)

    async def _run(self, prompt: str, question: Question) -> tuple[int, bytes | None, bytes]:
        """Its exit status, what it has written (None if that is too much), and the end of its standard error."""
        transport, heard = await self._start(question)
        try:
            stdin = transport.get_pipe_transport(0)
            assert isinstance(stdin, asyncio.WriteTransport)
            stdin.write(prompt.encode("utf-8", "replace"))
            stdin.close()  # once all is written; nobody has to read it
            await heard.over
            return transport.get_returncode() or 0, None if heard.is_too_much else bytes(heard.out), heard.err
        finally:
            _kill(transport.get_pid())
            try:
                await (
                    heard.exited.wait()
                )  # before the transport looks whether it has: one of us only is told how it ended
            finally:
                transport.close()

    async def _start(self, question: Question) -> tuple[asyncio.SubprocessTransport, _Listener]:
        wanted = environment(USUAL_ENV)
        loop = asyncio.get_running_loop()
        try:
            wanted |= {secret.name: secret.value() for secret in self.secrets}
            return await loop.subprocess_exec(
                lambda: _Listener(self.bytes_max, loop),
                *self.command,
                cwd=self.folder,
                env={**wanted, "ROUNDSIM_QUESTION": question.key},
                start_new_session=True,
            )
        except AdapterError as error:
            raise AdapterError(f"{question.process}: {error.mistakes[0]}") from None
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or str(error)
            raise AdapterError(
                f"{question.process}: {brief(self.command[0])} cannot be started: {why}; name a command that is on the PATH, "
                "and a folder that is there"
            ) from None


class _Listener(asyncio.SubprocessProtocol):
    """Hears what a command writes, and when it has ended. Then what it has left running ends too."""

    def __init__(self, most: int, loop: asyncio.AbstractEventLoop) -> None:
        self._most, self._loop = most, loop
        self._open = {1, 2}
        self._pid = 0
        self.out, self.err = bytearray(), b""
        self.is_too_much = False
        self.exited = asyncio.Event()
        self.over: asyncio.Future[None] = loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.SubprocessTransport)
        self._pid = transport.get_pid()

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        if fd == 2:
            self.err = (self.err + data)[-ERROR_MAX:]
        elif len(self.out) + len(data) > self._most:
            self.is_too_much = True
            self._end()
        else:
            self.out += data

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:  # noqa: ARG002 - it is over either way
        self._open.discard(fd)
        if self.exited.is_set() and not self._open:
            self._end()

    def process_exited(self) -> None:
        self.exited.set()
        _kill(self._pid)  # its children hold its output open
        if self._open:
            self._loop.call_later(LEFT_OPEN_S, self._end)
        else:
            self._end()

    def _end(self) -> None:
        if not self.over.done():
            self.over.set_result(None)


def _kill(group: int) -> None:
    """Ends all that is in this group of processes."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def _text(prompt: Any, question: Question) -> str:
    """What a prompt has made as one text."""
    if isinstance(prompt, str):
        return prompt
    if (
        isinstance(prompt, list | tuple)
        and prompt
        and all(isinstance(one, dict) and "content" in one for one in prompt)
    ):
        return "\n\n".join(str(one["content"]) for one in prompt)
    raise AdapterError(
        f"{question.process}: its prompt made {type(prompt).__name__}; expected a text, or a list of messages"
    )
