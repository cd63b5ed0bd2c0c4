"""The world around the clients: server, store, user, what may strike, and what must hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sim import (
    Disconnect,
    Fault,
    Message,
    Monitor,
    System,
    Timing,
    always,
    eventually,
    sometimes,
)

from .client import Client
from .messages import (
    ENDINGS,
    Claim,
    CodeRefused,
    Credentials,
    Delete,
    DeviceCode,
    Exchange,
    ExchangeRefused,
    KeyringError,
    Load,
    Poll,
    PollAnswer,
    Refresh,
    Refreshed,
    RefreshRefused,
    RequestCode,
    Save,
    Tokens,
)
from .monitors import (
    ApiKeyFirst,
    CodeOnce,
    FinalAnswer,
    OneEnding,
    OnlyForbiddenRemoved,
    PollPace,
    QuietAfterEnd,
    RotationKept,
    SessionKept,
    TransportRetried,
    WorkspaceAllowed,
)
from .options import FOREIGN, OURS, RFC_8628, AuthCredentialsStoreMode
from .server import SERVERS, AuthorisationServer, ProvisionedServer
from .session import LaterClient, Session
from .store import HALF, CredentialStore
from .user import User

FAULTS: dict[str, str] = {
    "all": "crash:1@client,drop:1@PollAnswer,disconnect:1,duplicate:1@Refresh",
    "login": "crash:1@client,drop:1@PollAnswer,disconnect:1,duplicate:1@server",
    "refresh": "crash:1@client,crash:1@store,disconnect:1,keyring_error:1",
}
"""The budget of each part. The server never crashes, and nothing between a client and its store is lost."""

REQUESTS_AND_ANSWERS: tuple[type[Message], ...] = (
    RequestCode,
    DeviceCode,
    CodeRefused,
    Poll,
    PollAnswer,
    Exchange,
    Tokens,
    ExchangeRefused,
    Refresh,
    Refreshed,
    RefreshRefused,
)
"""What a broken connection may lose; the client is told so instead of the answer."""

CARRIERS: dict[type[Fault], tuple[type[Message], ...]] = {
    Disconnect: REQUESTS_AND_ANSWERS,
    KeyringError: (Load, Save, Delete, Claim),
}
KEPT = always(
    "a granted login is stored",
    lambda client, store: client.login != "granted" or store.file is not None or store.keyring is not None,
)
LINKS = {"*->store": (1, 5), "store->*": (1, 5)}
WHOLE = always("credentials are whole", lambda store: HALF not in (store.file, store.keyring))
"""Whatever was interrupted: the old credentials or the new ones."""


def logging_in(later: LaterClient, server: AuthorisationServer, retries: int, *, alone: bool, liveness: bool) -> System:
    """A login by a client like `later`, and unless it is `alone` what follows: then both are used."""
    (protocol,) = (name for name, cls in SERVERS.items() if type(server) is cls)
    client = Client(
        options=later.options,
        profile=later.profile,
        api_key=later.api_key,
        uses=0 if alone else later.uses,
        retries=retries,
        protocol=protocol,
    )
    other = None if alone else later
    sessions: dict[str, Session] = {"client": client, **({} if alone else {"other": later})}
    options = client.options
    forced = options.forced_chatgpt_workspace_id
    reachable = [
        ending
        for ending in ENDINGS
        if ending in ("failed", "cancelled")
        or (
            server.enabled
            and (ending != "granted" or forced in ("", OURS, FOREIGN))
            and (ending != "denied" or protocol == RFC_8628)
        )
    ]
    guards = [
        sometimes(f"a login ends as {ending}", lambda client, ending=ending: client.login == ending)
        for ending in reachable
    ]
    if other and other.uses and "granted" in reachable:
        guards.append(_both_used())
    if liveness:
        guards.append(eventually("the login ends", lambda client: client.login in ENDINGS))
    return System(
        processes={
            **sessions,
            "server": server,
            "store": _store(client, sessions, None),
            "user": User(workspaces=(OURS, FOREIGN), others=("other",) if other else ()),
        },
        network="fifo",
        monitors={
            "one_ending": OneEnding(),
            "quiet_after_end": QuietAfterEnd(),
            "poll_pace": PollPace(),
            "final_answer": FinalAnswer(protocol=protocol),
            "transport_retried": TransportRetried(retries=client.retries),
            "code_once": CodeOnce(),
            **_session_monitors(client, None),
        },
        properties=(WHOLE, KEPT, *guards),
        carriers=CARRIERS,
        faults=FAULTS["all" if other else "login"],
        timing=Timing(
            latency_ms=(60, 400),
            links=LINKS,
            moves={"client.escape": None, "user.deny": None, "user.approve": (8_000, 40_000)},
            may_ms=(1_000, 20_000),
        ),
    )


def refreshing(session: LaterClient, stored: Credentials | None) -> System:
    """Two clients that find `stored`."""
    sessions = {"client": session, "other": session}
    server = ProvisionedServer(
        enabled=True,
        intervals=("",),
        challenges=False,
        slow_downs=0,
        workspace=stored.workspace if stored else "",
        valid=stored.generation if stored else 0,
    )
    return System(
        processes={**sessions, "server": server, "store": _store(session, sessions, stored)},
        network="fifo",
        monitors=_session_monitors(session, stored),
        properties=(WHOLE, *([_both_used()] if session.uses else [])),
        carriers=CARRIERS,
        faults=FAULTS["refresh"],
        timing=Timing(latency_ms=(60, 400), links=LINKS, may_ms=(0, 2_000)),
    )


def _store(session: Session, sessions: Mapping[str, Session], stored: Credentials | None) -> CredentialStore:
    mode = session.options.cli_auth_credentials_store_mode
    in_file = mode is AuthCredentialsStoreMode.FILE
    return CredentialStore(
        mode=mode,
        profile=session.profile,
        clients=tuple(sessions),
        file=stored if in_file else None,
        keyring=None if in_file else stored,
    )


def _session_monitors(session: Session, stored: Credentials | None) -> dict[str, Monitor]:
    options = session.options
    has_key = stored is not None and stored.kind == "api_key"
    generation = stored.generation if stored else 0
    return {
        "workspace_allowed": WorkspaceAllowed(options=options),
        "only_forbidden_removed": OnlyForbiddenRemoved(options=options),
        "api_key_first": ApiKeyFirst(api_key=session.api_key, stored_key=has_key, options=options),
        "rotation_kept": RotationKept(),
        "session_kept": SessionKept(good=generation, stored=generation),
    }


def _both_used() -> Any:
    return sometimes("both clients are used", lambda client, other: client.uses == other.uses == 0)
