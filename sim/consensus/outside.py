"""Failures as they come from outside: an exception of a client library, or an HTTP status with headers, as a `Failure`.

By duck typing: the errors of httpx, aiohttp, requests, urllib, openai, anthropic, google-genai and litellm fit, and none of
these is imported. In this order:

1. The status: `status_code`, `status` or `code` of the error, or of its `response`, if it is an int. An error code in the
   body tells a quota from a rate limit.
2. The names of the error's classes, its own and its bases': a timeout, no connection, a broken stream, an empty answer, one
   that cannot be read.
3. Everything else is `UNKNOWN`, which policies do not retry.

The hint when to try again is taken from the first of these that is there:

    retry-after-ms                  milliseconds
    retry-after                     seconds, or an HTTP date
    RetryInfo in the body           what google-genai has in `details`
    x-ratelimit-reset*, ratelimit-reset, anthropic-ratelimit-*-reset
                                    of limits: of those of which nothing remains, otherwise of all, the last to be lifted

A limit's reset is a number of seconds, a duration such as `1s`, `6m0s` or `20ms`, an instant of RFC 3339, an HTTP date, or a
Unix time (a number from 10^9 on is one in seconds, from 10^12 on in milliseconds). Limits are looked at only if one was hit.
Instants count from `now`, otherwise from the response's own `Date`: no clock is read here. One that is past gives zero or
less.

    >>> failure_of(429, {"Retry-After": "2"})
    Failure(kind=<ErrorKind.RATE_LIMITED: 'too many requests (429)'>, reset_in_ms=2000)
    >>> failure_of(TimeoutError())
    Failure(kind=<ErrorKind.TIMEOUT: 'no answer in time'>, reset_in_ms=None)
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final

from sim.consensus.retry import ErrorKind, Failure, kind_of_status

RESET_MS_MAX: Final = 366 * 86_400_000
"""The longest hint that is believed: a year, in milliseconds."""


class HeaderError(ValueError):
    """A hint that cannot be read; `header` names it."""

    def __init__(self, header: str, value: object, expected: str) -> None:
        text = value if isinstance(value, str) else repr(value)
        super().__init__(f"{header} is {text[:60]!r}; expected {expected}")
        self.header = header


def failure_of(
    what: BaseException | int,
    headers: Mapping[str, str] | Iterable[tuple[str, str]] | None = None,
    *,
    now: datetime | None = None,
) -> Failure:
    """The failed attempt that an exception or an HTTP status stands for.

    `headers` are those of the response, in any case; by default those that the exception brings. `now` is what instants
    count from, with its timezone.

    Raises `HeaderError` for a hint that is nonsense, or an instant without `now` and `Date`; `TypeError` if `what` is
    neither an exception nor a status, `ValueError` if `now` has no timezone or a status is not between 100 and 599.
    """
    if now is not None and now.tzinfo is None:
        raise ValueError(f"now is {now.isoformat()}; expected an instant with a timezone")
    if isinstance(what, BaseException):
        status = status_of(what)
        kind = _kind(what, status)
        known = _lowered(headers if headers is not None else _headers(what))
        delay = _retry_info(what)
    elif type(what) is int:
        if not 100 <= what <= 599:
            raise ValueError(f"status is {what}; expected 100 to 599")
        kind, known, delay = kind_of_status(what), _lowered(headers), None
    else:
        raise TypeError(f"expected an exception or an HTTP status, got {what!r}")
    return Failure(kind, _reset_ms(kind, known, delay, now))


def status_of(error: BaseException) -> int | None:
    """The HTTP status that an exception brings, if it brings any."""
    response = getattr(error, "response", None)
    for owner in (error, response):
        for name in ("status_code", "status", "code"):
            status = getattr(owner, name, None)
            if isinstance(status, int) and not isinstance(status, bool) and 100 <= status <= 599:
                return int(status)
    return None


# --- the kind ---------------------------------------------------------------------------------------

_CODES: Final = {
    "insufficient_quota": ErrorKind.QUOTA,
    "billing_hard_limit_reached": ErrorKind.QUOTA,
    "usage_limit_reached": ErrorKind.USAGE_LIMIT,
    "usage_not_included": ErrorKind.NOT_INCLUDED,
}
"""Error codes of bodies that say more than their status."""

_MADE_UP: Final = (408, 500)
"""What LiteLLM gives to a timeout and a missing connection, which no server answered."""
_NAMES: Final = (
    (re.compile("Timeout|DeadlineExceeded|TimedOut"), ErrorKind.TIMEOUT),
    (
        re.compile(
            "ReadError|WriteError|CloseError|ProtocolError|IncompleteRead|ChunkedEncoding|ServerDisconnected|PayloadError"
            "|ConnectionReset|ConnectionAborted|BrokenPipe|StreamError|^DisconnectError"
        ),
        ErrorKind.STREAM,
    ),
    (re.compile("Connect|gaierror|NetworkError|ProxyError|SSLError"), ErrorKind.CONNECT),
    (re.compile("EmptyResponse"), ErrorKind.EMPTY),
    (re.compile("JSONDecode|Validation|ConsensusFailure"), ErrorKind.INVALID),
)
"""What a class of errors is called -> its kind; the first that fits, the error's own class before its bases."""


def _kind(error: BaseException, status: int | None) -> ErrorKind:
    by_name = next((kind for cls in type(error).__mro__ for name, kind in _NAMES if name.search(cls.__name__)), None)
    if status is None or (status in _MADE_UP and by_name in (ErrorKind.TIMEOUT, ErrorKind.CONNECT)):
        return by_name or ErrorKind.UNKNOWN
    codes = (_CODES.get(code) for code in _codes(error))
    return next((kind for kind in codes if kind is not None), kind_of_status(status))


def _codes(error: BaseException) -> Iterable[str]:
    """The error codes and types that an error names: of its own, and in its body."""
    body = getattr(error, "body", None)
    inner = body.get("error") if isinstance(body, Mapping) else None
    for owner in (body, inner):
        if isinstance(owner, Mapping):
            yield from (value for name in ("code", "type") if isinstance(value := owner.get(name), str))
    yield from (value for name in ("code", "type") if isinstance(value := getattr(error, name, None), str))


# --- the hint ---------------------------------------------------------------------------------------

_LIMITS: Final = (ErrorKind.RATE_LIMITED, ErrorKind.USAGE_LIMIT)
_RESET: Final = re.compile(r"(?:x-)?ratelimit-reset(?P<after>-[a-z-]+)?|anthropic-ratelimit-(?P<within>[a-z-]+)-reset")
_NUMBER: Final = re.compile(r"[+-]?\d{1,18}(?:\.\d{1,9})?", re.ASCII)
_DURATION: Final = re.compile(
    r"(?:(\d{1,9}(?:\.\d{1,9})?)d)?(?:(\d{1,9}(?:\.\d{1,9})?)h)?(?:(\d{1,9}(?:\.\d{1,9})?)m(?!s))?"
    r"(?:(\d{1,9}(?:\.\d{1,9})?)s)?(?:(\d{1,9}(?:\.\d{1,9})?)ms)?",
    re.ASCII,
)
_UNITS_MS: Final = (86_400_000, 3_600_000, 60_000, 1_000, 1)
_UNIX_S, _UNIX_MS = 10**9, 10**12
_UNIX_MAX_S: Final = 253_402_300_799
"""The last second of the year 9999, after which there are no instants."""
_A_YEAR: Final = "at most a year from now"


def _headers(error: BaseException) -> Any:
    for owner in (getattr(error, "response", None), error):
        found = getattr(owner, "headers", None)
        if found is not None:
            return found
    return getattr(error, "litellm_response_headers", None)


def _lowered(headers: object) -> dict[str, str]:
    """The headers by lower-case names; bytes and text alike. Anything else has no headers."""
    if isinstance(headers, Mapping) or hasattr(headers, "items"):
        pairs = list(headers.items())
    else:
        pairs = list(headers) if isinstance(headers, Iterable) and not isinstance(headers, str | bytes) else []
    return {
        _text(pair[0]).lower(): _text(pair[1]).strip() for pair in pairs if isinstance(pair, tuple) and len(pair) == 2
    }


def _text(value: object) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _retry_info(error: BaseException) -> str | None:
    """The delay in the details of a Google error, such as `34s`."""
    details = getattr(error, "details", None)
    inner = details.get("error", details) if isinstance(details, Mapping) else None
    listed = inner.get("details") if isinstance(inner, Mapping) else None
    for item in listed if isinstance(listed, list) else ():
        if isinstance(item, Mapping) and isinstance(item.get("retryDelay"), str):
            return str(item["retryDelay"])
    return None


def _reset_ms(kind: ErrorKind, headers: Mapping[str, str], delay: str | None, now: datetime | None) -> int | None:
    """The hint, in milliseconds from now; zero or less if it is past, None if there is none."""
    if "retry-after-ms" in headers:
        return _bounded("retry-after-ms", headers["retry-after-ms"], _number(headers, "retry-after-ms", 1))
    if "retry-after" in headers:
        return _moment("retry-after", headers, now, numbers="seconds")
    if delay is not None:
        found = _duration(delay)
        if found is None:
            raise HeaderError("retryDelay", delay, "a duration such as 34s")
        return _bounded("retryDelay", delay, found)
    if kind not in _LIMITS:
        return None
    limits = {name: match for name in sorted(headers) if (match := _RESET.fullmatch(name)) and headers[name]}
    empty = [name for name, match in limits.items() if headers.get(_remaining(name, match)) == "0"]
    resets = [_moment(name, headers, now, numbers="seconds or a Unix time") for name in empty or limits]
    return max(resets, default=None)


def _remaining(name: str, match: re.Match[str]) -> str:
    """The header that says how much of a limit is left."""
    if match["within"]:
        return f"anthropic-ratelimit-{match['within']}-remaining"
    return name.replace("-reset", "-remaining")


def _number(headers: Mapping[str, str], name: str, unit_ms: int) -> float:
    if not _NUMBER.fullmatch(headers[name]):
        raise HeaderError(name, headers[name], "a number")
    return float(headers[name]) * unit_ms


def _moment(name: str, headers: Mapping[str, str], now: datetime | None, *, numbers: str) -> int:
    """What a header says, in milliseconds from now, however it says it."""
    value = headers[name]
    if _NUMBER.fullmatch(value):
        number = float(value)
        if "Unix" not in numbers or number < _UNIX_S:
            return _bounded(name, value, number * 1_000)
        seconds = number / 1_000 if number >= _UNIX_MS else number
        if seconds > _UNIX_MAX_S:
            raise HeaderError(name, value, _A_YEAR)
        return _since(name, value, _UNIX + timedelta(seconds=seconds), headers, now)
    found = _duration(value)
    if found is not None:
        return _bounded(name, value, found)
    instant = _instant(value)
    if instant is None:
        raise HeaderError(
            name, value, f"{numbers}, a duration such as 6m0s or 20ms, an RFC 3339 instant or an HTTP date"
        )
    return _since(name, value, instant, headers, now)


_UNIX: Final = datetime(1970, 1, 1, tzinfo=UTC)


def _duration(text: str) -> float | None:
    """The milliseconds of `6m0s`; None if it is not a duration."""
    match = _DURATION.fullmatch(text.strip())
    if match is None or not any(match.groups()):
        return None
    return sum(float(part) * unit for part, unit in zip(match.groups(), _UNITS_MS, strict=True) if part)


def _instant(text: str) -> datetime | None:
    """An instant of RFC 3339, or an HTTP date."""
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            found = read(text)
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
        if found.tzinfo is not None:
            return found
    return None


def _since(name: str, value: str, instant: datetime, headers: Mapping[str, str], now: datetime | None) -> int:
    begin = now if now is not None else _instant(headers.get("date", ""))
    if begin is None:
        raise HeaderError(
            name, value, "a number of seconds, since neither now nor a Date says what an instant counts from"
        )
    return _bounded(name, value, (instant - begin) / timedelta(milliseconds=1))


def _bounded(name: str, value: str, ms: float) -> int:
    """Whole milliseconds, rounded up. An instant may be past, a delay may not be below zero by itself."""
    if not abs(ms) <= RESET_MS_MAX:
        raise HeaderError(name, value, _A_YEAR)
    if value.startswith("-"):
        raise HeaderError(name, value, "0 or more")
    return math.ceil(ms)
