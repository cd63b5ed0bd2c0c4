"""Models that are broken in ways that no switch names: every property has to notice."""

from __future__ import annotations

from typing import Any

import pytest

from models.device_login import system
from models.device_login.client import Client
from models.device_login.messages import (
    Approve,
    Credentials,
    Ended,
    Exchange,
    KeyringError,
    Load,
    Loaded,
    PollAnswer,
    Polled,
    Save,
    Stored,
    Waiting,
)
from models.device_login.server import AuthorisationServer
from models.device_login.session import LaterClient
from models.device_login.store import CredentialStore
from sim import IGNORE, CheckResult, always, check

SMALL: dict[str, Any] = {"slow_downs": 0, "retries": 0, "challenges": False}


def broken(cls: Any, faults: str, **config: Any) -> CheckResult:
    """The check of a system in which `cls` stands for its base class."""
    sane = system(**config)
    processes = {
        name: cls(**dict(zip(type(p).table.fields, p.field_values(), strict=True))) if type(p) is cls.__base__ else p
        for name, p in sane.processes.items()
    }
    assert list(map(type, processes.values())) != list(map(type, sane.processes.values()))
    return check(sane.with_(processes=processes, faults=faults))


class Lenient(AuthorisationServer):
    """Issues tokens for a code as often as it is asked."""

    transitions = (
        {"trigger": Exchange, "source": "spent", "dest": None, "after": "issue"},
        *AuthorisationServer.transitions,
    )


class Hasty(Client):
    """Waits one second less than it was told to."""

    def wait(self) -> None:
        self.cancel("patience")
        self.arm("poll", self.interval_s * 1_000 - 1_000)
        self.emit(Waiting(self.interval_s - 1))


class Unarmed(Client):
    """Polls as soon as it has a code."""

    def show_code(self, code: Any) -> None:
        super().show_code(code)
        self.emit(Polled())
        self.emit(Polled())


class Talkative(Client):
    """Says twice how the login ended."""

    def end(self, ending: str, reason: str = "") -> None:
        super().end(ending, reason)
        self.emit(Ended(ending, reason))


class Unclear(Client):
    """Ends a login in a sixth way."""

    def end_cancelled(self) -> None:
        self.end("gone")


class Barging(LaterClient):
    """Refreshes without waiting for its turn."""

    def takes_turns(self) -> bool:
        return False


class Resigned(LaterClient):
    """Does not look again when it is refused."""

    def takes_turns(self) -> bool:
        return False

    def takes_it_as_final(self) -> bool:
        return True


class Selfish(LaterClient):
    """Never gives the right to refresh back."""

    def release(self) -> None:
        return


class Forgetful(LaterClient):
    """Uses a new token and does not store it."""

    def ask(self) -> None:
        if self.state != "saving":
            super().ask()


class Mute(CredentialStore):
    """After an interruption it tells nobody."""

    def on_restart(self) -> None:
        return


class Guessing(CredentialStore):
    """Takes an unreadable keyring for an empty one."""

    def fail(self, fault: KeyringError) -> None:
        if isinstance(fault.message, Load):
            self.send(self.sender, Loaded(None, fault.message.life))
        else:
            super().fail(fault)


class Hollow(CredentialStore):
    """Says that credentials are stored, and keeps nothing."""

    def save_to_keyring(self, save: Save) -> None:
        self.emit(Stored(save.credentials))
        self.confirm(save)


class Deaf(Client):
    """Takes every status but 200 for a failure."""

    def is_pending(self, answer: PollAnswer) -> bool:
        return False


class Closed(AuthorisationServer):
    """Lets nobody in."""

    transitions = (
        {"trigger": Approve, "source": "*", "dest": IGNORE},
        *(row for row in AuthorisationServer.transitions if row["trigger"] is not Approve),
    )


@pytest.mark.parametrize(
    ("cls", "faults", "config", "found", "says"),
    [
        (Lenient, "duplicate:1@Exchange", {"part": "login", **SMALL}, "code_once", "issued twice"),
        (Hasty, "", {"part": "login", **SMALL}, "poll_pace", "4 s where 5 s are in force"),
        (Unarmed, "", {"part": "login", **SMALL}, "poll_pace", "wait of none"),
        (Talkative, "", {"part": "login", **SMALL}, "one_ending", "once more"),
        (Unclear, "", {"part": "login", **SMALL}, "one_ending", "gone, which is no ending"),
        (Barging, "", {"part": "refresh"}, "session_kept", "signed out"),
        (Resigned, "", {"part": "refresh"}, "session_kept", "signed out"),
        (Selfish, "", {"part": "refresh"}, "stuck", "claiming"),
        (Forgetful, "", {"part": "refresh"}, "stuck", "saving"),
        (Mute, "crash:1@store", {"part": "refresh"}, "stuck", ""),
        (Guessing, "crash:1@client,keyring_error:1", {"part": "login", **SMALL}, "quiet_after_end", "are stored"),
        (Hollow, "", {"part": "login", **SMALL}, "a granted login is stored", "does not hold"),
        (Deaf, "", {"part": "login", **SMALL}, "final_answer", "every answer was pending"),
        (Deaf, "", {"part": "login", "server": "device_auth", **SMALL}, "final_answer", "every answer was pending"),
        (Closed, "", {"part": "login", **SMALL}, "a login ends as granted", "no reachable state"),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else None,
)
def test_a_broken_machine_is_caught_by_the_property_that_it_breaks(
    cls: Any, faults: str, config: dict[str, Any], found: str, says: str
) -> None:
    result = broken(cls, faults, **config)
    assert result.finding is not None
    assert result.finding.property == found
    assert says in result.finding.message


class Trusting(Client):
    """After a crash it takes whatever is stored for its login."""

    def finds_login(self, loaded: Loaded) -> bool:
        return loaded.credentials is not None


@pytest.mark.parametrize(("cls", "verdict"), [(Client, "ok"), (Trusting, "violated")])
def test_an_interrupted_login_is_not_granted_for_a_key_that_was_stored_before(cls: Any, verdict: str) -> None:
    sane = system(part="login", **SMALL)
    client, store = sane.processes["client"], sane.processes["store"]
    processes = {
        **sane.processes,
        "client": copied(client, cls),
        "store": copied(store, keyring=Credentials("api_key")),
    }
    own = always(
        "a granted login's own tokens are stored",
        lambda client, store: client.login != "granted" or store.keyring.kind == "chatgpt",
    )
    properties = (*sane.properties, own)
    result = check(sane.with_(processes=processes, properties=properties, faults="crash:1@client"))
    assert result.verdict == verdict, result.finding


def copied(process: Any, cls: Any = None, **changes: Any) -> Any:
    fields = dict(zip(type(process).table.fields, process.field_values(), strict=True))
    return (cls or type(process))(**{**fields, **changes})
