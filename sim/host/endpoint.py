"""One POST of JSON to an endpoint: in a bounded time, with an answer of a bounded size, and nothing kept of the key.

It stands on a transport of httpx alone: no redirect is followed, no cookie kept, no proxy, certificate or password taken from
the environment, and no address written to a log. An answer is read as it comes, uncompressed; a connection is used once.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from sim.base.errors import ConfigError, brief, failure
from sim.consensus import ErrorKind, Failure, HeaderError, failure_of
from sim.host.adapter import AdapterError
from sim.host.secret import Secret, hidden

BYTES_MAX = 1 << 20
"""Bytes of an answer that are read."""
AT_ONCE = 16
"""Questions that an endpoint is asked at the same time; more wait, before their time begins."""
PERMANENT = {
    ErrorKind.AUTH: "does not accept the key",
    ErrorKind.REQUEST: "refuses the request",
    ErrorKind.QUOTA: "says that the quota is used up",
    ErrorKind.NOT_INCLUDED: "says that the plan does not include this",
}
"""Failures of which no further attempt makes an answer."""
_OWN = ("authorization", "x-api-key", "api-key", "proxy-authorization", "cookie", "host", "content-length")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Missed(Exception):
    """An attempt that came to nothing, and may come to something the next time."""

    def __init__(self, failure: Failure, facts: dict[str, Any]) -> None:
        super().__init__(failure.kind.value)
        self.failure, self.facts = failure, facts


class _Refused(Exception):
    """Any status but success, in the form in which `failure_of` reads those of client libraries."""

    def __init__(self, status: int, headers: Mapping[str, str], body: Any) -> None:
        super().__init__(status)
        self.status_code, self.headers, self.body = status, headers, body
        self.details = body


class HttpEndpoint:
    """Where questions are posted to.

    - `url`: of the endpoint itself, without a password in it; what comes after its `?` is sent and never shown
    - `key`: the variable with the key, if any. With one the address has to be https, unless it is of this machine
    - `headers`: further ones; none that carries a key
    - `proxy`, `certificates`: the address of a proxy; a file of authorities that are trusted in place of the usual ones

    Raises `ConfigError` for what can never work.
    """

    def __init__(
        self,
        url: str,
        *,
        key: Secret | None = None,
        timeout_ms: int = 120_000,
        bytes_max: int = BYTES_MAX,
        headers: Mapping[str, str] | None = None,
        proxy: str | None = None,
        certificates: str | Path | None = None,
    ) -> None:
        parts = _address(url, encrypted=key is not None)
        self.url, self.key, self.timeout_ms, self.bytes_max = url, key, timeout_ms, bytes_max
        if type(timeout_ms) is not int or timeout_ms < 1 or type(bytes_max) is not int or bytes_max < 1:
            raise ConfigError("timeout_ms and bytes_max: expected whole numbers of 1 or more")
        self.host, self.port = parts.hostname or "", parts.port or {"http": 80, "https": 443}[parts.scheme]
        self.shown = f"{parts.scheme}://{parts.netloc}{parts.path}"
        """The address as it may be read by anybody."""
        self._headers = _checked(headers or {})
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._http = _httpx()
        self._transport = self._http.AsyncHTTPTransport(
            verify=_trusted(certificates),
            trust_env=False,
            limits=self._http.Limits(max_keepalive_connections=0),
            proxy=None if proxy is None else self._proxy(proxy),
        )

    def __repr__(self) -> str:
        return f"HttpEndpoint({self.shown!r})"

    def _proxy(self, proxy: str) -> Any:
        try:
            return self._http.Proxy(proxy)
        except (ValueError, TypeError, self._http.InvalidURL):
            raise ConfigError("proxy: expected an address such as http://proxy.example.com:3128") from None

    async def close(self) -> None:
        """Close what is open."""
        await self._transport.aclose()

    def clean(self, text: str) -> str:
        """What the other side said, without our key."""
        return hidden(text, [self.key] if self.key is not None else [])

    async def post(self, body: Mapping[str, Any], headers: Mapping[str, str], facts: dict[str, Any]) -> dict[str, Any]:
        """The object that came back; `facts` are added to. Raises `Missed`, and `AdapterError` for what is permanent."""
        try:
            data = json.dumps(body, ensure_ascii=False, allow_nan=False).encode("utf-8", "backslashreplace")
        except (TypeError, ValueError, RecursionError) as error:
            raise AdapterError(
                f"what it is asked cannot be written as JSON: {failure(error)}; see its prompt"
            ) from None
        loop = asyncio.get_running_loop()
        facts |= {"server.address": self.host, "server.port": self.port}
        async with self._slots:
            began = loop.time()
            try:
                async with asyncio.timeout(self.timeout_ms / 1000):
                    status, answered, raw = await self._exchanged(data, {**self._headers, **headers})
            except (self._http.HTTPError, OSError) as error:  # TimeoutError is an OSError
                self._refuse_untrusted(error)
                raise Missed(failure_of(error), facts) from None
            finally:
                facts["duration_ms"] = round((loop.time() - began) * 1000)
        facts["http.response.status_code"] = status
        return self._judged(status, answered, raw, facts)

    async def _exchanged(self, data: bytes, headers: Mapping[str, str]) -> tuple[int, dict[str, str], bytes | None]:
        """The status, the headers, and the body; None if it is larger than what is read."""
        request = self._http.Request(
            "POST",
            self.url,
            content=data,
            headers={
                "User-Agent": "roundsim",
                "Accept": "application/json",
                "Accept-Encoding": "identity",
                "Content-Type": "application/json",
                "Connection": "close",
                **headers,
            },
        )
        response = await self._transport.handle_async_request(request)
        try:
            known = {name.lower(): value for name, value in response.headers.items()}
            parts: list[bytes] = []
            size = 0
            async for part in response.aiter_raw():
                size += len(part)
                if size > self.bytes_max:
                    return response.status_code, known, None
                parts.append(part)
            return response.status_code, known, b"".join(parts)
        finally:
            await response.aclose()

    def _judged(self, status: int, headers: dict[str, str], raw: bytes | None, facts: dict[str, Any]) -> dict[str, Any]:
        """The object in the body of a success. What says otherwise raises."""
        found = _parsed(raw)
        if 200 <= status <= 299:
            error = found.get("error") if isinstance(found, dict) else None
            if isinstance(found, dict) and not error:
                return found
            if error is None:
                why = "too large" if raw is None else "not JSON" if found is None else "no object"
                raise Missed(Failure(ErrorKind.INVALID), {**facts, "error.type": why})
            code = error.get("code") if isinstance(error, Mapping) else None  # a router that says 200 of what failed
            status = code if type(code) is int and 400 <= code <= 599 else 500
        if 300 <= status <= 399:
            raise AdapterError(
                f"{self.shown} leads elsewhere ({status}), where no key is sent to; name the address of the endpoint itself"
            )
        refused = _Refused(status, headers, found[0] if isinstance(found, list) and found else found)
        missed = _failure(refused)
        if missed.kind in PERMANENT:
            raise AdapterError(self._permanent(missed.kind, refused))
        raise Missed(missed, facts)

    def _permanent(self, kind: ErrorKind, refused: _Refused) -> str:
        """One line: where, what, and what to do."""
        status = refused.status_code
        said = f": {brief(self.clean(said))}" if (said := _message_in(refused.body)) else ""
        if kind is ErrorKind.AUTH:
            todo = f"put one that is valid into {self.key.name}" if self.key else "name its variable as key_env"
            what = PERMANENT[kind] if self.key else "asks for a key"
        elif kind is ErrorKind.REQUEST:
            what = "has nothing there" if status in (404, 405, 410) else PERMANENT[kind]
            todo = "the address is that of the endpoint itself; look at it, the model, the prompt and the options"
        else:
            what, todo = PERMANENT[kind], "raise it with the provider, or name another one"
        return f"{self.shown} {what} ({status}){said}; {todo}, then resume"

    def _refuse_untrusted(self, error: BaseException) -> None:
        """A certificate that nobody vouches for is not better the next time."""
        seen: BaseException | None = error
        while seen is not None:
            if isinstance(seen, ssl.SSLCertVerificationError):
                raise AdapterError(
                    f"{self.shown} has a certificate that is not trusted: {seen.verify_message}; "
                    "name the file of its authority as certificates"
                ) from None
            seen = seen.__cause__ or seen.__context__


def _failure(refused: _Refused) -> Failure:
    """What a status stands for; one whose hint is nonsense has none."""
    try:
        return failure_of(refused)
    except HeaderError:
        return failure_of(_Refused(refused.status_code, {}, _without_details(refused.body)))


def _without_details(body: Any) -> Any:
    error = body.get("error") if isinstance(body, Mapping) else None
    if not isinstance(error, Mapping):
        return {key: value for key, value in body.items() if key != "details"} if isinstance(body, Mapping) else None
    return {"error": {key: value for key, value in error.items() if key != "details"}}


def _parsed(raw: bytes | None) -> Any:
    """The JSON of a body; None if it is not JSON."""
    try:
        return None if raw is None else json.loads(raw)
    except (ValueError, RecursionError):
        return None


def _message_in(body: Any) -> str:
    """What an error says of itself."""
    error = body.get("error", body) if isinstance(body, Mapping) else None
    said = error.get("message") if isinstance(error, Mapping) else error
    return said if isinstance(said, str) else ""


def _address(url: object, *, encrypted: bool) -> SplitResult:
    """The address, if something can be posted there."""
    if not isinstance(url, str) or not url.isascii() or not url.isprintable() or " " in url:
        raise ConfigError("url: expected an address such as https://api.example.com/v1/chat/completions")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise ConfigError(
            f"url: {error}; expected an address such as https://api.example.com/v1/chat/completions"
        ) from None
    if parts.username is not None or parts.password is not None:
        raise ConfigError("url: has a name or a password in it; put the key into a variable, and name that as key_env")
    if parts.scheme not in ("http", "https") or not host:
        raise ConfigError("url: expected http:// or https:// and a host")
    if parts.fragment:
        raise ConfigError("url: leave out what comes after its #")
    if encrypted and parts.scheme == "http" and host not in _LOOPBACK:
        raise ConfigError(f"url: a key would be sent to {host} in clear; use https")
    return parts


def _checked(headers: Mapping[str, str]) -> dict[str, str]:
    for name, value in headers.items():
        if not isinstance(name, str) or not isinstance(value, str):
            raise ConfigError(f"headers: {name!r}: expected texts")
        if name.lower() in _OWN:
            raise ConfigError(
                f"headers: {name} is not for a configuration; put a key into a variable, named as key_env"
            )
        if not _is_plain(name) or " " in name or not _is_plain(value):
            raise ConfigError(f"headers: {name!r}: expected one line of plain characters")
    return dict(headers)


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable() and bool(text)


def _trusted(certificates: str | Path | None) -> ssl.SSLContext | bool:
    if certificates is None:
        return True
    try:
        return ssl.create_default_context(cafile=str(certificates))
    except OSError as error:  # an SSLError is one
        raise ConfigError(
            f"certificates: {certificates}: {error.strerror or error}; name a file of certificates"
        ) from None


def _httpx() -> Any:
    try:
        import httpx
    except ImportError:
        raise ConfigError("agents over HTTP: httpx is not installed; pip install 'roundsim[http]'") from None
    return httpx


def texts_in(parts: Iterable[Any]) -> str:
    """The text of a content that comes in parts."""
    found = [part.get("text") for part in parts if isinstance(part, Mapping)]
    return "".join(text for text in found if isinstance(text, str))
