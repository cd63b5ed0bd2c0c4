"""Every row that the machines declare is taken by some check: nothing in the tables is for show."""

from __future__ import annotations

from typing import Any

import pytest

from models.device_login import system
from models.device_login.client import PATIENCE_MS, Client
from models.device_login.messages import Credentials, Waiting
from models.device_login.server import AuthorisationServer
from models.device_login.session import LaterClient
from models.device_login.store import CredentialStore
from models.device_login.user import User
from sim import DEFER, Graph, Process, System, check

SMALL: dict[str, Any] = {"slow_downs": 0, "retries": 0, "challenges": False}
LOGIN: dict[str, Any] = {"part": "login", **SMALL}
REFRESH: dict[str, Any] = {"part": "refresh"}
KEYRING = {"cli_auth_credentials_store_mode": "keyring"}
FORBIDDEN_KEY = {"api_key": True, "forced_login_method": "chatgpt", "key_deletes_login": True}
CRASHES = "crash:1@client,crash:1@store"

WALKS: list[tuple[dict[str, Any], str]] = [
    ({}, "drop:1@PollAnswer,disconnect:1"),
    (SMALL, "crash:1@client,disconnect:1"),
    (SMALL, "duplicate:1@server"),
    (SMALL, "crash:1@store,keyring_error:1"),
    ({**SMALL, **KEYRING, "drop_unsaved": True}, "crash:1@client,keyring_error:1"),
    ({**LOGIN, "device_codes": False}, "crash:1@client,duplicate:1@server,disconnect:1"),
    (LOGIN, "crash:1@client,duplicate:1@server"),
    (LOGIN, "duplicate:1@Prompt"),
    ({**LOGIN, "server": "device_auth"}, "duplicate:1@server"),
    ({**LOGIN, "escape_keeps_polling": True}, ""),
    ({**LOGIN, "exchange_again": True}, "disconnect:1"),
    ({**SMALL, "rotation": "retries"}, ""),
    ({**SMALL, "rotation": "permanent"}, ""),
    ({**SMALL, "api_key": True}, ""),
    ({**SMALL, **FORBIDDEN_KEY}, "crash:1@client"),
    ({**SMALL, **FORBIDDEN_KEY}, "crash:1@store"),
    ({**SMALL, "unchecked_workspace": True}, ""),
    ({**REFRESH, "stored": "api_key"}, ""),
    ({**REFRESH, "stored": "foreign"}, CRASHES),
    (REFRESH, CRASHES),
    (REFRESH, "crash:1@client,disconnect:1,duplicate:1@server"),
    (REFRESH, "keyring_error:2"),
    ({**REFRESH, "cli_auth_credentials_store_mode": "file"}, ""),
    ({**REFRESH, "api_key": True}, ""),
    ({**REFRESH, **KEYRING, "drop_unsaved": True}, "crash:1@client,keyring_error:2"),
    ({**REFRESH, "rotation": "permanent"}, ""),
    ({**REFRESH, "rotation": "retries"}, ""),
    ({**REFRESH, **FORBIDDEN_KEY}, CRASHES),
]
"""Configurations and budgets that together reach every row; the properties are switched off, so that the
reference's faults are followed to their end."""


def unjudged(config: dict[str, Any], faults: str) -> System:
    return system(**config).with_(faults=faults, monitors={}, properties=())


def copied(process: Process, **changes: Any) -> Any:
    fields = dict(zip(type(process).table.fields, process.field_values(), strict=True))
    return type(process)(**{**fields, **changes})


def one_client_with_a_forbidden_key(config: dict[str, Any], name: str) -> System:
    """Client `name` deletes what the other one is about to refresh."""
    whole = unjudged({**config, "forced_login_method": "chatgpt", "key_deletes_login": True}, "")
    return whole.with_(processes={**whole.processes, name: copied(whole.processes[name], api_key=True)})


def a_login_beside_a_stored_key() -> System:
    whole = unjudged(SMALL, "")
    store = copied(whole.processes["store"], keyring=Credentials("api_key"))
    return whole.with_(processes={**whole.processes, "store": store})


def walked(whole: System) -> Graph:
    result = check(whole, max_states=60_000)
    assert result.verdict == "ok", result.finding
    assert result.graph is not None
    return result.graph


def declaring(cls: Any) -> str:
    """The class whose table this is: a subclass may only begin elsewhere."""
    return str(next(c.__name__ for c in cls.__mro__ if "transitions" in vars(c)))


def rows_taken(graph: Graph) -> set[tuple[str, int]]:
    """(class, row) of everything that the walk tabulated, deferred inputs included."""
    tables, processes = graph.tables, graph.system.processes
    found = {
        (declaring(type(processes[action.process])), action.row.index)
        for table in (tables.deliveries, tables._under, tables.own)
        for actions in table.values()
        for action in actions
        if action.row is not None
    }
    for (local, envelope), actions in tables.deliveries.items():
        process, value = tables.locals.things[local]
        if not actions and value.up:
            cls = type(processes[graph.names[process]])
            kind = type(tables.envelopes.things[envelope].message)
            found |= {
                (declaring(cls), row.index)
                for row in cls.table.rows
                if row.dest is DEFER and row.trigger is kind and value.state in row.sources
            }
    return found


def missing(taken: set[tuple[str, int]], cls: Any) -> list[str]:
    return [f"{row.index}: {row}" for row in cls.table.rows if (cls.__name__, row.index) not in taken]


@pytest.fixture(scope="module")
def graphs() -> list[Graph]:
    systems = [unjudged(config, faults) for config, faults in WALKS]
    systems += [one_client_with_a_forbidden_key(c, name) for c in (SMALL, REFRESH) for name in ("client", "other")]
    return [walked(whole) for whole in (*systems, a_login_beside_a_stored_key())]


def test_every_declared_row_is_taken_by_some_check(graphs: list[Graph]) -> None:
    taken = set().union(*map(rows_taken, graphs))
    for cls in (Client, LaterClient, AuthorisationServer, CredentialStore, User):
        assert missing(taken, cls) == [], cls.__name__


def test_a_row_that_nothing_takes_is_noticed(graphs: list[Graph]) -> None:
    whole = unjudged({"part": "refresh"}, "")
    alone = rows_taken(walked(whole))
    assert len(missing(alone, LaterClient)) > 10
    assert any("KeyringError" in line for line in missing(alone, CredentialStore))


def strays(graph: Graph) -> list[str]:
    """Armed poll timers that are not what the client says it waits, polls that no poll timer sent, and
    waits for a refresh."""
    found = []
    for action in {
        a for table in (graph.tables.deliveries, graph.tables.own) for actions in table.values() for a in actions
    }:
        said = [o.emission.wait_s for o in action.all_outputs if isinstance(getattr(o, "emission", None), Waiting)]
        armed = [(arm.low_ms, arm.high_ms) for arm in action.arms if arm.timer == "poll"]
        if armed != [(wait_s * 1_000, wait_s * 1_000) for wait_s in said]:
            found.append(f"{action.address}: armed {armed}, said {said}")
        sent = [type(o.message).__name__ for o in action.all_outputs if hasattr(o, "message")]
        if "Poll" in sent and (action.kind.value, action.subject) != ("fire", "poll"):
            found.append(f"{action.address}: polls without its timer")
    return sorted(found)


def test_what_a_client_says_it_waits_is_what_it_arms(graphs: list[Graph]) -> None:
    assert [line for graph in graphs for line in strays(graph)] == []
    assert PATIENCE_MS > 0


class Liar(Client):
    """Says that it waits, and does not."""

    def wait(self) -> None:
        super().wait()
        self.arm("poll", 1)


def test_a_client_that_arms_less_than_it_says_is_noticed() -> None:
    whole = unjudged(LOGIN, "")
    client = whole.processes["client"]
    liar = Liar(**dict(zip(type(client).table.fields, client.field_values(), strict=True)))
    assert strays(walked(whole.with_(processes={**whole.processes, "client": liar})))
