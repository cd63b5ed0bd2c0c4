"""Serves one page on the loopback, to whoever has its address: a token that nobody can guess is part of it.

Whatever is not asked for with the token, at the name that the server has, is not found. Of what comes with a request nothing
is used but the paths that there are, and, where the page asks for something to be done, a short piece of JSON that the page
itself has sent.
"""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Callable, Mapping
from hmac import compare_digest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, Self

LOOPBACK = "127.0.0.1"
TOKEN_BYTES = 24
NOWHERE = "?"
"""A path at which there is nothing."""
REQUEST_S = 10
"""How long a connection may say nothing."""
HTML, JSON, PLAIN = "text/html; charset=utf-8", "application/json", "text/plain; charset=utf-8"
HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class Body(NamedTuple):
    """What is at a path."""

    kind: str
    """Its media type."""
    text: str
    policy: str = "default-src 'none'"


Bodies = Mapping[str, Callable[[], Body]]
"""By the path that follows the token; the page itself is at the empty one."""
Doings = Mapping[str, Callable[[Any], Body]]
"""What is done with the JSON that is posted to a path."""
POSTED_MAX = 100_000
"""Bytes that a page may send at once."""


class PageServer:
    """Serves these until it is closed, in threads of its own."""

    def __init__(self, bodies: Bodies, doings: Doings | None = None) -> None:
        self._token = secrets.token_urlsafe(TOKEN_BYTES)
        self._server = _Server(bodies, doings or {}, self._token)
        self._thread = threading.Thread(target=self._server.serve_forever, name="page", daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        """Where the page is."""
        return f"http://{self._server.place}/{self._token}/"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, bodies: Bodies, doings: Doings, token: str) -> None:
        super().__init__((LOOPBACK, 0), _Handler)
        self.bodies, self.doings, self.token = bodies, doings, token
        self.place = f"{LOOPBACK}:{self.server_port}"

    def handle_error(self, *_: Any) -> None:
        """A browser that has gone away is nothing to speak of."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = REQUEST_S

    def do_GET(self) -> None:
        body = self.server.bodies.get(self._path())
        if body is None:
            self.send_error(404)
        else:
            self._answer(200, body())

    def do_POST(self) -> None:
        doing = self.server.doings.get(self._path())
        posted = None if doing is None else self._posted()
        if doing is None or posted is None:
            self.send_error(404)
        else:
            self._answer(200, doing(posted))

    def _path(self) -> str:
        """What this request may have. The name that it was sent to is looked at too: a page of somebody else, whose name is
        made to lead here, has another one."""
        if self.headers.get_all("Host") != [self.server.place]:
            return NOWHERE
        token, _, rest = self.path.removeprefix("/").partition("/")
        return rest if compare_digest(token.encode(), self.server.token.encode()) else NOWHERE

    def _posted(self) -> Any:
        """The JSON that came with a request of our page; None for anything else."""
        if self.headers.get_all("Origin", [self._origin]) != [self._origin]:
            return None
        length = self.headers.get("Content-Length", "")
        if self.headers.get_content_type() != JSON or not length.isdecimal() or int(length) > POSTED_MAX:
            return None
        try:
            return json.loads(self.rfile.read(int(length)))
        except (ValueError, RecursionError):
            return None

    @property
    def _origin(self) -> str:
        return f"http://{self.server.place}"

    def send_error(self, *_: Any) -> None:
        """Whatever is wrong: there is nothing here."""
        self._answer(404, Body(PLAIN, "not found\n"))

    def _answer(self, status: int, body: Body) -> None:
        data = body.text.encode()
        self.send_response(status)
        policy = f"{body.policy}; frame-ancestors 'none'"
        for name, value in {**HEADERS, "Content-Security-Policy": policy, "Content-Type": body.kind}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def version_string(self) -> str:
        return "roundsim"

    def log_message(self, *_: Any) -> None:
        """Nobody reads it."""
