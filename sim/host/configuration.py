"""What a configuration file says about hosting a session: who plays what, where others are, what ends it.

It comes as plain data; what is wrong with it is told with the keys that lead there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from sim.base.durations import parse_duration
from sim.base.errors import ConfigError, SimError, unknown
from sim.base.values import describe

Complain = Callable[[tuple[str, ...], str], None]
"""Told the keys that lead to a mistake, and the mistake."""


@dataclass
class HostingLimits:
    """What ends a session before it is over; None where there is no limit."""

    calls: int | None = None
    """Calls of adapters."""
    usd: Decimal | None = None
    """What the tokens cost by public prices, as far as these are known."""
    for_ms: int | None = None
    """How long this host works on it."""


@dataclass
class Hosting:
    """A configuration file, read."""

    session: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    here: tuple[str, ...] | None = None
    adapters: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    links: dict[str, str | Mapping[str, Any]] = field(default_factory=dict)
    listen: str | Mapping[str, Any] | None = None
    carries: dict[str, tuple[str, ...]] = field(default_factory=dict)
    until: dict[str, tuple[str, ...]] = field(default_factory=dict)
    limits: HostingLimits = field(default_factory=HostingLimits)
    log: str | None = None
    """The file that the log is written to while the session goes on."""
    otel: bool = False
    """Whether spans of OpenTelemetry are made."""
    otel_texts: bool = False
    """Whether they have what was answered."""


def read_hosting(data: Any, complain: Complain) -> Hosting:
    """What plain data say. Mistakes go to `complain`; what is returned then is of no use."""
    found = Hosting()
    if not isinstance(data, Mapping):
        complain((), f"is {describe(data)}; expected a mapping with adapters, links and so on")
        return found
    for key, value in data.items():
        read = _READ.get(str(key))
        if read is None:
            complain((str(key),), unknown("key", key, _READ))
        elif value is not None:
            read(found, value, lambda keys, text, key=key: complain((str(key), *keys), text))  # type: ignore[misc]
    return found


def _session(found: Hosting, value: Any, complain: Complain) -> None:
    if not isinstance(value, str | int) or isinstance(value, bool) or not str(value).strip():
        complain((), f"is {describe(value)}; expected the name of the session")
    elif not str(value).isprintable():  # no database takes every character
        complain((), f"is {describe(value)}; expected a name of printable characters")
    found.session = str(value)


def _settings(found: Hosting, value: Any, complain: Complain) -> None:
    found.settings = dict(_mapping(value, complain, "the model's parameters, such as rounds: 3"))


def _here(found: Hosting, value: Any, complain: Complain) -> None:
    found.here = _names(value, lambda text: complain((), text))


def _adapters(found: Hosting, value: Any, complain: Complain) -> None:
    for name, given in _mapping(value, complain, "for each process what stands for it").items():
        if not isinstance(given, Mapping):
            complain((name,), f"is {describe(given)}; expected a mapping, such as {{kind: chat, url: ..., model: ...}}")
        else:
            found.adapters[name] = given


def _links(found: Hosting, value: Any, complain: Complain) -> None:
    for name, given in _mapping(value, complain, "for each process the address of its host").items():
        if not isinstance(given, str | Mapping):
            complain((name,), f"is {describe(given)}; expected an address, such as unix:/run/store")
        else:
            found.links[name] = given


def _listen(found: Hosting, value: Any, complain: Complain) -> None:
    if not isinstance(value, str | Mapping):
        complain((), f"is {describe(value)}; expected an address, such as unix:/run/coordinator")
    else:
        found.listen = value


def _carries(found: Hosting, value: Any, complain: Complain) -> None:
    for name, given in _mapping(value, complain, "messages, each with those whose texts it brings").items():
        found.carries[name] = _names(given, lambda text, name=name: complain((name,), text))  # type: ignore[misc]


def _until(found: Hosting, value: Any, complain: Complain) -> None:
    for name, given in _mapping(value, complain, "processes, each with the states that end the session").items():
        found.until[name] = _names(given, lambda text, name=name: complain((name,), text))  # type: ignore[misc]


def _limits(found: Hosting, value: Any, complain: Complain) -> None:
    limits, known = found.limits, ("calls", "usd", "for")
    for key, given in _mapping(value, complain, "calls, usd, for").items():
        if key == "calls":
            if type(given) is not int or given < 1:
                complain((key,), f"is {describe(given)}; expected a whole number, 1 or more")
            else:
                limits.calls = given
        elif key == "usd":
            try:
                limits.usd = Decimal(str(given))
            except InvalidOperation:
                limits.usd = Decimal(-1)
            if isinstance(given, bool) or not limits.usd.is_finite() or limits.usd <= 0:
                complain((key,), f"is {describe(given)}; expected an amount above 0, such as '2.50'")
        elif key == "for":
            try:
                limits.for_ms = parse_duration(str(given))
            except SimError as error:
                complain((key,), error.mistakes[0])
        else:
            complain((key,), unknown("limit", key, known))


def _log(found: Hosting, value: Any, complain: Complain) -> None:
    if not isinstance(value, str) or not value:
        complain((), f"is {describe(value)}; expected the name of a file")
    found.log = str(value)


def _otel(found: Hosting, value: Any, complain: Complain) -> None:
    if isinstance(value, bool):
        found.otel = value
    elif isinstance(value, Mapping) and [*value] in ([], ["texts"]) and isinstance(value.get("texts", False), bool):
        found.otel, found.otel_texts = True, value.get("texts", False)
    else:
        complain((), f"is {describe(value)}; expected true, or {{texts: true}} for spans with what was answered")


def _mapping(value: Any, complain: Complain, expected: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        complain((), f"is {describe(value)}; expected a mapping: {expected}")
        return {}
    return value


def _names(value: Any, complain: Callable[[str], None]) -> tuple[str, ...]:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names) or not names:
        complain(f"is {describe(value)}; expected a name, or a list of names")
        return ()
    return tuple(names)


_READ: dict[str, Callable[[Hosting, Any, Complain], None]] = {
    "session": _session,
    "set": _settings,
    "here": _here,
    "adapters": _adapters,
    "links": _links,
    "listen": _listen,
    "carries": _carries,
    "until": _until,
    "limits": _limits,
    "log": _log,
    "otel": _otel,
}


def refuse(path: str) -> Complain:
    """Complains by raising `ConfigError`, for a file whose places are not known."""

    def complain(keys: tuple[str, ...], text: str) -> None:
        raise ConfigError(f"{path}: {'.'.join(keys)}{' ' if text.startswith('is ') else ': '}{text}")

    return complain
