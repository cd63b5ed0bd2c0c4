"""The address of a journal in PostgreSQL: `postgresql://USER@HOST:PORT/DATABASE?schema=NAME`, and how it may be shown.

All that libpq takes may be in it or in its variables (`PGPASSWORD`, `PGSERVICE`, ...), and `schema`, which is ours. What is
shown of it is told part by part, so that no secret is among it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from sim.base.errors import ConfigError

SCHEMA = "roundsim"
"""Where a journal's tables are, unless its address says otherwise."""
WANTED = "expected postgresql://USER@HOST:PORT/DATABASE?schema=NAME, with what is special in it written as %XX"
CONNECTION: Mapping[str, str | int] = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 4,
    "tcp_user_timeout": 30_000,
    "fallback_application_name": "roundsim",
    "client_encoding": "utf-8",
}
"""A server that has gone away is noticed in half a minute, not in hours."""


@dataclass(frozen=True)
class PostgresAddress:
    """An address, taken apart."""

    name: str
    """What to call it: no password, nor any option that could hold a secret."""
    schema: str
    options: Mapping[str, Any] = field(repr=False)
    """What a connection is made with."""

    def without_secrets(self, text: str) -> str:
        """A message of the server or of libpq, in one line, without a secret of this address."""
        for key, value in self.options.items():
            if "password" in key and value:
                text = text.replace(str(value), "***")
        return "; ".join(line.strip() for line in text.splitlines() if line.strip())


def parse_address(dsn: str) -> PostgresAddress:
    """Takes an address apart. Raises `ConfigError`, which shows nothing of it."""
    import psycopg

    try:
        query = urlsplit(dsn).query
        schemas = [value for key, value in parse_qsl(query, keep_blank_values=True) if key == "schema"]
        rest = "&".join(part for part in query.split("&") if part.partition("=")[0] != "schema")
        options = psycopg.conninfo.conninfo_to_dict(dsn.partition("?")[0] + (f"?{rest}" if rest else ""))
    except (ValueError, psycopg.Error):  # their words show the part that is wrong, and that may be the password
        raise ConfigError(f"this address of a journal cannot be read; {WANTED}") from None
    schema = schemas[-1] if schemas else SCHEMA
    if not re.fullmatch("(?!pg_)[a-z_][a-z0-9_]{0,62}", schema):
        raise ConfigError(f"schema {schema!r}: expected a name of small letters, digits and _, at most 63")
    given = {key: value for key, value in options.items() if value is not None}
    return PostgresAddress(_shown(given, schema), schema, {**CONNECTION, **_private(given), **given})


def _private(options: Mapping[str, Any]) -> dict[str, str]:
    """Nobody listens on the way to another machine, unless somebody says how safe that way is."""
    hosts = f"{options.get('host') or ''},{options.get('hostaddr') or os.environ.get('PGHOST', '')}".split(",")
    far = any(host and not re.match(r"[/@]|localhost$|127\.|::1$", host) for host in hosts)
    said = "PGSSLMODE" in os.environ or "PGSERVICE" in os.environ or "service" in options
    return {"sslmode": "require"} if far and not said else {}


def _shown(options: Mapping[str, Any], schema: str) -> str:
    host = str(options.get("host", ""))
    user = f"{options['user']}@" if "user" in options else ""
    port = str(options.get("port", "")).strip(",")  # without ports libpq makes one comma for each further host
    path = host.startswith(("/", "@"))
    shown = f"postgresql://{user}{'' if path else host}{':' * bool(port)}{port}/{options.get('dbname', '')}"
    more = [f"host={host}"] * path + [f"schema={schema}"] * (schema != SCHEMA)
    return shown + ("?" + "&".join(more) if more else "")
