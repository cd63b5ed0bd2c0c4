"""A page that is served by a process of its own, for whoever walks what would mind a server beside it: a program under
simulation shares its process with nobody. To us a request is a line that comes, and an answer one that goes.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from queue import SimpleQueue
from typing import Any, NamedTuple, Self

from sim.base import printing
from sim.base.errors import ConfigError
from sim.cli.page_server import Body, PageServer

_MAIN = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from sim.cli.page_process import serve; serve(sys.argv[2])"


class PageRequest(NamedTuple):
    """Something that the page asks for: at which path, and what it posted there; None: the page itself is asked for."""

    path: str
    posted: Any


class PageProcess:
    """Serves a page, to which something can be posted at these paths."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._process = subprocess.Popen(  # noqa: S603  this very Python
            [sys.executable, "-P", "-c", _MAIN, json.dumps(sys.path), json.dumps(list(paths))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            start_new_session=True,  # ctrl-C is for us, who then end it
        )
        self.address = self._line()

    def _line(self) -> str:
        assert self._process.stdout is not None
        if not (line := self._process.stdout.readline()):
            raise ConfigError("the page cannot be served: its process has ended; see what it says above")
        return line.rstrip("\n")

    def requests(self) -> Iterator[PageRequest]:
        """One after the other; each is to be answered before the next is taken. Raises `ConfigError` if the server is gone."""
        while True:
            yield PageRequest(*json.loads(self._line()))

    def answer(self, body: Body) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(body) + "\n")
        self._process.stdin.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for stream in (self._process.stdin, self._process.stdout):
            try:
                if stream is not None:
                    stream.close()
            except OSError:
                pass  # it died before we wrote
        self._process.wait()


def serve(paths: str) -> None:
    """The main function of the process: requests on standard output, answers on standard input, until that ends."""
    answers: SimpleQueue[Body] = SimpleQueue()
    turn = threading.Lock()

    def ask(path: str, posted: Any = None) -> Body:
        with turn:
            printing.out(json.dumps(PageRequest(path, posted)).replace("\x7f", "\\u007f"))  # JSON may have it as it is
            return answers.get()

    doings = {path: lambda posted, path=path: ask(path, posted) for path in json.loads(paths)}
    with PageServer({"": lambda: ask("")}, doings) as server:
        printing.out(server.address)
        for line in sys.stdin:
            answers.put(Body(*json.loads(line)))
