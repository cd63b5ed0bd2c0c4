"""Links and the port of a host, as a configuration file names them: an address, or one with certificates."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sim.base.errors import ConfigError, SimError, unknown
from sim.base.values import describe
from sim.host.link import Link
from sim.host.link_address import Tls
from sim.host.port import Port
from sim.host.stream import Stream

_KEYS = ("address", "tls", "insecure")
_CERTIFICATES = ("certificate", "key", "authority")


def links_of(given: Mapping[str, str | Mapping[str, Any]], where: str, folder: Path) -> dict[str, Link]:
    """The link to each process; processes at one address share it. Paths count from `folder`. Raises `ConfigError`."""
    made: dict[str, Link] = {}
    found = {}
    for name, one in given.items():
        address, more = _read(one, f"{where}.{name}", folder)
        if address not in made:
            made[address] = _told(f"{where}.{name}", lambda a=address, m=more: Stream(a, **m))
        found[name] = made[address]
    return found


def port_of(given: str | Mapping[str, Any], where: str, folder: Path) -> Port:
    """Where other hosts bring what they send. Raises `ConfigError`."""
    address, more = _read(given, where, folder)
    port: Port = _told(where, lambda: Port(address, **more))
    return port


def _read(given: str | Mapping[str, Any], where: str, folder: Path) -> tuple[str, dict[str, Any]]:
    if isinstance(given, str):
        return _address(given, folder), {}
    for key in given:
        if key not in _KEYS:
            raise ConfigError(f"{where}: {unknown('key', key, _KEYS)}")
    address, tls, insecure = given.get("address"), given.get("tls"), given.get("insecure", False)
    if not isinstance(address, str):
        raise ConfigError(f"{where}.address is {describe(address)}; expected unix:/path or tcp:host:port")
    if not isinstance(insecure, bool):
        raise ConfigError(f"{where}.insecure is {describe(insecure)}; expected true or false")
    more: dict[str, Any] = {"insecure": insecure}
    if tls is not None:
        if not isinstance(tls, Mapping) or set(tls) != set(_CERTIFICATES) or not all(map(_is_text, tls.values())):
            raise ConfigError(f"{where}.tls: expected {', '.join(_CERTIFICATES)}, each the name of a file")
        more["tls"] = _told(where, lambda: Tls(**{key: str(folder / tls[key]) for key in _CERTIFICATES}))
    return _address(address, folder), more


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _address(address: str, folder: Path) -> str:
    kind, colon, path = address.partition(":")
    return f"unix:{folder / path}" if kind == "unix" and colon and path else address


def _told(where: str, make: Any) -> Any:
    try:
        return make()
    except SimError as error:
        raise ConfigError(*(f"{where}: {mistake}" for mistake in error.mistakes)) from None
