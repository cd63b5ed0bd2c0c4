"""Failures from outside are told apart by status, headers and names, without importing who raises them."""

from __future__ import annotations

import email.message
import json
import socket
import subprocess
import sys
import urllib.error
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.consensus.outside import RESET_MS_MAX, HeaderError, failure_of, status_of
from sim.consensus.retry import OURS, ErrorKind, Failure, RetryAfter

NOW = datetime(2025, 1, 1, 12, tzinfo=UTC)


def error(*names: str, base: type[BaseException] = Exception, **attributes: Any) -> BaseException:
    """An exception as a client library has it: of a class with this name and the bases, with these attributes."""
    made: type[BaseException] = base
    for name in reversed(names):
        made = type(name, (made,), {})
    raised = made("it failed")
    for name, value in attributes.items():
        setattr(raised, name, value)
    return raised


def answered(status: int, headers: dict[str, str] | None = None) -> SimpleNamespace:
    """A response as httpx has it."""
    return SimpleNamespace(status_code=status, headers=headers or {})


def http_error(code: int, headers: dict[str, str]) -> urllib.error.HTTPError:
    message = email.message.Message()
    for name, value in headers.items():
        message[name] = value
    return urllib.error.HTTPError("https://x", code, "no", message, None)


# --- kinds ----------------------------------------------------------------------------------------

ERRORS: list[tuple[str, BaseException, ErrorKind]] = [
    ("builtin timeout", TimeoutError(), ErrorKind.TIMEOUT),
    ("asyncio timeout", TimeoutError(), ErrorKind.TIMEOUT),
    ("connection refused", ConnectionRefusedError(), ErrorKind.CONNECT),
    ("connection reset", ConnectionResetError(), ErrorKind.STREAM),
    ("broken pipe", BrokenPipeError(), ErrorKind.STREAM),
    ("no such host", socket.gaierror(), ErrorKind.CONNECT),
    ("urllib 503", http_error(503, {}), ErrorKind.SERVER),
    ("httpx read timeout", error("ReadTimeout", "TimeoutException", "TransportError"), ErrorKind.TIMEOUT),
    ("httpx connect timeout", error("ConnectTimeout", "TimeoutException"), ErrorKind.TIMEOUT),
    ("httpx connect error", error("ConnectError", "NetworkError", "TransportError"), ErrorKind.CONNECT),
    ("httpx read error", error("ReadError", "NetworkError", "TransportError"), ErrorKind.STREAM),
    ("httpx protocol error", error("RemoteProtocolError", "ProtocolError"), ErrorKind.STREAM),
    ("httpx status error", error("HTTPStatusError", response=answered(502)), ErrorKind.SERVER),
    ("requests", error("ConnectionError", "RequestException", base=OSError), ErrorKind.CONNECT),
    ("aiohttp status", error("ClientResponseError", "ClientError", status=429, headers={}), ErrorKind.RATE_LIMITED),
    ("aiohttp payload", error("ClientPayloadError", "ClientError"), ErrorKind.STREAM),
    ("openai timeout", error("APITimeoutError", "APIConnectionError", "APIError"), ErrorKind.TIMEOUT),
    ("openai connection", error("APIConnectionError", "APIError"), ErrorKind.CONNECT),
    (
        "openai rate limit",
        error("RateLimitError", "APIStatusError", status_code=429, code=None),
        ErrorKind.RATE_LIMITED,
    ),
    (
        "openai quota",
        error("RateLimitError", "APIStatusError", status_code=429, code="insufficient_quota"),
        ErrorKind.QUOTA,
    ),
    (
        "a plan's limit",
        error("RateLimitError", status_code=429, body={"error": {"type": "usage_limit_reached"}}),
        ErrorKind.USAGE_LIMIT,
    ),
    ("openai key", error("AuthenticationError", "APIStatusError", status_code=401), ErrorKind.AUTH),
    ("openai request", error("BadRequestError", "APIStatusError", status_code=400), ErrorKind.REQUEST),
    ("openai 408", error("APIStatusError", status_code=408), ErrorKind.REQUEST_TIMEOUT),
    (
        "anthropic overloaded",
        error("OverloadedError", "APIStatusError", status_code=529, body={"error": {"type": "overloaded_error"}}),
        ErrorKind.SERVER,
    ),
    ("anthropic unreadable", error("APIResponseValidationError", "APIError"), ErrorKind.INVALID),
    (
        "google-genai client",
        error("ClientError", "APIError", code=429, status="RESOURCE_EXHAUSTED"),
        ErrorKind.RATE_LIMITED,
    ),
    ("google-genai server", error("ServerError", "APIError", code=503, status="UNAVAILABLE"), ErrorKind.SERVER),
    ("google deadline", error("DeadlineExceeded"), ErrorKind.TIMEOUT),
    ("litellm timeout", error("Timeout", "APITimeoutError", status_code=408), ErrorKind.TIMEOUT),
    ("litellm connection", error("APIConnectionError", "APIError", status_code=500), ErrorKind.CONNECT),
    ("litellm rate limit", error("RateLimitError", status_code=429), ErrorKind.RATE_LIMITED),
    ("closed by the client", error("APIStatusError", status_code=499), ErrorKind.CLIENT_CLOSED),
    ("unreadable json", json.JSONDecodeError("no", "x", 0), ErrorKind.INVALID),
    ("whatever", RuntimeError("?"), ErrorKind.UNKNOWN),
    ("no status", error("Strange", status_code=True, code=7, status="no"), ErrorKind.UNKNOWN),
]


@pytest.mark.parametrize(("raised", "kind"), [case[1:] for case in ERRORS], ids=[case[0] for case in ERRORS])
def test_an_exception_is_the_kind_of_failure_that_it_stands_for(raised: BaseException, kind: ErrorKind) -> None:
    assert failure_of(raised).kind is kind


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, ErrorKind.REQUEST),
        (401, ErrorKind.AUTH),
        (403, ErrorKind.AUTH),
        (404, ErrorKind.REQUEST),
        (408, ErrorKind.REQUEST_TIMEOUT),
        (429, ErrorKind.RATE_LIMITED),
        (499, ErrorKind.CLIENT_CLOSED),
        (500, ErrorKind.SERVER),
        (529, ErrorKind.SERVER),
        (599, ErrorKind.SERVER),
        (200, ErrorKind.UNKNOWN),
    ],
)
def test_a_status_is_a_kind(status: int, kind: ErrorKind) -> None:
    assert failure_of(status) == Failure(kind)
    assert status_of(error("E", response=answered(status))) == status


# --- hints ----------------------------------------------------------------------------------------

HINTS: list[tuple[dict[str, str], int | None]] = [
    ({}, None),
    ({"Retry-After": "2"}, 2_000),
    ({"RETRY-AFTER": " 1.5 "}, 1_500),
    ({"retry-after": "0"}, 0),
    ({"retry-after": "0.0001"}, 1),
    ({"retry-after": "Wed, 01 Jan 2025 12:00:30 GMT"}, 30_000),
    ({"retry-after": "Wed, 01 Jan 2025 11:59:00 GMT"}, -60_000),
    ({"retry-after-ms": "1250", "retry-after": "2"}, 1_250),
    ({"x-ratelimit-reset": "30"}, 30_000),
    ({"x-ratelimit-reset": "2.5"}, 2_500),
    ({"ratelimit-reset": "7"}, 7_000),
    ({"x-ratelimit-reset-requests": "1s"}, 1_000),
    ({"x-ratelimit-reset-tokens": "6m0s"}, 360_000),
    ({"x-ratelimit-reset-tokens": "20ms"}, 20),
    ({"x-ratelimit-reset-tokens": "1h2m3.5s"}, 3_723_500),
    ({"x-ratelimit-reset-tokens": "1d"}, 86_400_000),
    ({"x-ratelimit-reset": "2025-01-01T12:00:05Z"}, 5_000),
    ({"x-ratelimit-reset": "2025-01-01T13:00:05+01:00"}, 5_000),
    ({"x-ratelimit-reset": "Wed, 01 Jan 2025 12:00:05 GMT"}, 5_000),
    ({"x-ratelimit-reset": str(int(NOW.timestamp()) + 9)}, 9_000),
    ({"x-ratelimit-reset": str(int(NOW.timestamp() * 1000) + 9)}, 9),
    ({"anthropic-ratelimit-requests-reset": "2025-01-01T12:01:00Z"}, 60_000),
    # Of several limits, those of which nothing remains; if none says so, the last to be lifted.
    ({"x-ratelimit-reset-requests": "1s", "x-ratelimit-reset-tokens": "6m0s"}, 360_000),
    (
        {
            "x-ratelimit-reset-requests": "1s",
            "x-ratelimit-remaining-requests": "0",
            "x-ratelimit-reset-tokens": "6m0s",
            "x-ratelimit-remaining-tokens": "149984",
        },
        1_000,
    ),
    (
        {
            "anthropic-ratelimit-input-tokens-reset": "2025-01-01T12:00:09Z",
            "anthropic-ratelimit-input-tokens-remaining": "0",
            "anthropic-ratelimit-requests-reset": "2025-01-01T12:01:00Z",
            "anthropic-ratelimit-requests-remaining": "7",
        },
        9_000,
    ),
    ({"x-ratelimit-limit-requests": "60", "x-ratelimit-remaining-requests": "0", "x-request-id": "7"}, None),
]


@pytest.mark.parametrize(("headers", "reset_ms"), HINTS, ids=[str(headers) for headers, _ in HINTS])
def test_a_hint_is_read_however_it_is_given(headers: dict[str, str], reset_ms: int | None) -> None:
    assert failure_of(429, headers, now=NOW) == Failure(ErrorKind.RATE_LIMITED, reset_ms)
    assert failure_of(429, list(headers.items()), now=NOW).reset_in_ms == reset_ms
    in_bytes = [(name.encode(), value.encode()) for name, value in headers.items()]
    assert failure_of(429, in_bytes, now=NOW).reset_in_ms == reset_ms  # type: ignore[arg-type]
    assert failure_of(error("E", response=answered(429, headers)), now=NOW).reset_in_ms == reset_ms
    assert failure_of(error("E", status=429, headers=headers), now=NOW).reset_in_ms == reset_ms
    assert failure_of(http_error(429, headers), now=NOW).reset_in_ms == reset_ms


def test_an_instant_counts_from_the_date_of_the_response_unless_now_is_given() -> None:
    headers = {"Retry-After": "Wed, 01 Jan 2025 12:00:30 GMT", "Date": "Wed, 01 Jan 2025 12:00:20 GMT"}
    assert failure_of(429, headers).reset_in_ms == 10_000
    assert failure_of(429, headers, now=NOW).reset_in_ms == 30_000
    with pytest.raises(HeaderError, match=r"retry-after is .*neither now nor a Date says"):
        failure_of(429, {"Retry-After": headers["Retry-After"]})


def test_the_delay_in_the_body_of_a_google_error_is_a_hint() -> None:
    details = {
        "error": {"code": 429, "details": [{"@type": "QuotaFailure"}, {"@type": "RetryInfo", "retryDelay": "34s"}]}
    }
    assert failure_of(error("ClientError", code=429, details=details)) == Failure(ErrorKind.RATE_LIMITED, 34_000)
    details["error"]["details"][1]["retryDelay"] = "soon"  # type: ignore[index]
    with pytest.raises(HeaderError, match="retryDelay is 'soon'"):
        failure_of(error("ClientError", code=429, details=details))


def test_limits_are_looked_at_only_if_one_was_hit() -> None:
    assert failure_of(500, {"x-ratelimit-reset": "nonsense"}) == Failure(ErrorKind.SERVER)
    assert failure_of(503, {"retry-after": "3"}) == Failure(ErrorKind.SERVER, 3_000)


# --- nonsense -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["retry-after-ms", "retry-after", "x-ratelimit-reset", "anthropic-ratelimit-tokens-reset"]
)
@pytest.mark.parametrize(
    "value",
    [
        "soon",
        "-1",
        "1e9",
        "NaN",
        "inf",
        "0x10",
        "1 2",
        "ten s",
        "٣",
        "2025-13-01T00:00:00Z",
        "9" * 30,
        "Wed, 99 Jan",
        "--1s",
    ],
)
def test_a_header_that_is_nonsense_is_named(name: str, value: str) -> None:
    with pytest.raises(HeaderError) as caught:
        failure_of(429, {name: value}, now=NOW)
    assert caught.value.header == name
    assert str(caught.value).startswith(f"{name} is {value[:60]!r}; expected ")


def test_a_hint_of_more_than_a_year_is_nonsense() -> None:
    assert failure_of(429, {"retry-after": str(RESET_MS_MAX // 1000)}).reset_in_ms == RESET_MS_MAX
    with pytest.raises(HeaderError, match="at most a year"):
        failure_of(429, {"retry-after": str(RESET_MS_MAX // 1000 + 1)})


@pytest.mark.parametrize(
    ("what", "raises"), [("429", TypeError), (True, TypeError), (None, TypeError), (99, ValueError)]
)
def test_what_is_neither_an_exception_nor_a_status_is_refused(what: Any, raises: type[Exception]) -> None:
    with pytest.raises(raises, match=r"expected (an exception or an HTTP status|100 to 599)"):
        failure_of(what)


def test_an_instant_without_a_timezone_is_refused() -> None:
    with pytest.raises(ValueError, match="expected an instant with a timezone"):
        failure_of(429, now=datetime(2025, 1, 1))


@given(st.text(max_size=30))
def test_whatever_a_header_says_it_is_a_hint_or_refused_by_its_name(value: str) -> None:
    for name in ("retry-after", "x-ratelimit-reset-tokens"):
        try:
            found = failure_of(429, {name: value}, now=NOW)
        except HeaderError as refused:
            assert refused.header == name  # noqa: PT017
        else:
            assert found.reset_in_ms is None or abs(found.reset_in_ms) <= RESET_MS_MAX


@given(st.integers(0, 10**6), st.sampled_from(["s", "ms", "", "rfc", "http", "unix"]))
def test_the_same_moment_is_the_same_hint_in_every_spelling(seconds: int, spelling: str) -> None:
    at = NOW + timedelta(seconds=seconds)
    spelt = {
        "s": f"{seconds}s",
        "ms": f"{seconds * 1000}ms",
        "": str(seconds),
        "rfc": at.isoformat(),
        "http": at.strftime("%a, %d %b %Y %H:%M:%S GMT"),
        "unix": str(int(at.timestamp())),
    }
    assert failure_of(429, {"x-ratelimit-reset": spelt[spelling]}, now=NOW).reset_in_ms == seconds * 1000


# --- with a policy, and alone -----------------------------------------------------------------------


def test_a_policy_waits_as_long_as_the_server_says() -> None:
    limited = OURS.decide(OURS.start(), failure_of(429, {"retry-after": "60"}))
    assert isinstance(limited, RetryAfter)
    assert limited.low_ms >= 60_000
    plain = OURS.decide(OURS.start(), failure_of(429))
    assert isinstance(plain, RetryAfter)
    assert plain.high_ms < 60_000  # the hint is what makes the difference


def loaded(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys\nprint(*sys.modules)"], capture_output=True, text=True, check=True
    )
    return {
        name
        for name in done.stdout.split()
        if name.partition(".")[0] in ("sim", "httpx", "openai", "pydantic", "numpy")
    }


def test_it_loads_nothing_of_the_simulation() -> None:
    code = "from sim.consensus.outside import failure_of; failure_of(429, {'retry-after': '1'})"
    assert {name for name in loaded(code) if not name.startswith("sim.consensus")} == {"sim"}
    assert "sim.machine.process" in loaded("from sim import Process")  # what would be caught


@pytest.mark.parametrize("number", ["253402300799", "253402300800", "9999999999999999", "9" * 18])
def test_an_instant_that_no_calendar_has_is_refused_by_its_header(number: str) -> None:
    with pytest.raises(HeaderError, match=r"x-ratelimit-reset is '[0-9]+'; expected at most a year from now"):
        failure_of(429, {"x-ratelimit-reset": number, "date": "Fri, 27 Nov 2026 08:00:00 GMT"})
