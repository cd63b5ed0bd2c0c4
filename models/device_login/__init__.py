"""Login by device code (RFC 8628), the credential store behind it, and two clients that rotate one refresh
token. `docs/device_login.md` says what is checked within which bounds."""

from __future__ import annotations

from typing import Literal

from models.device_login.client import Client
from models.device_login.messages import (
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
from models.device_login.monitors import (
    ApiKeyFirst,
    CodeOnce,
    FinalAnswer,
    OneEnding,
    OnlyForbiddenRemoved,
    PollPace,
    QuietAfterEnd,
    RotationKept,
    TransportRetried,
    WorkspaceAllowed,
)
from models.device_login.options import AuthCredentialsStoreMode, Profile, ServerOptions
from models.device_login.server import AuthorisationServer, ProvisionedServer
from models.device_login.session import Session
from models.device_login.store import HALF, CredentialStore
from models.device_login.user import User
from sim import ConfigError, Disconnect, Monitor, Process, System, Timing, View, always, sometimes
from sim import eventually as eventually_

Part = Literal["all", "login", "refresh"]
Rotation = Literal["locked", "retries", "permanent"]

OURS, FOREIGN = "ours", "foreign"
"""The workspace that may be forced, and another one in which the user has an account."""

STORED = {
    "chatgpt": Credentials("chatgpt", OURS, 1),
    "foreign": Credentials("chatgpt", FOREIGN, 1),
    "api_key": Credentials("api_key"),
}
"""What may be stored where a check begins behind the login."""

FAULTS: dict[str, str] = {
    "all": "disconnect:1,duplicate:1@server,crash:1@client",
    "login": "disconnect:1,drop:1@PollAnswer,duplicate:1@server,crash:1@client,keyring_error:1",
    "refresh": "disconnect:1,duplicate:1@server,crash:1@client,crash:1@store,keyring_error:1",
}


def system(
    part: Part = "all",
    cli_auth_credentials_store_mode: Literal["file", "keyring", "auto"] = "auto",
    forced_chatgpt_workspace_id: str = OURS,
    forced_login_method: Literal["", "chatgpt"] = "",
    api_key: bool = False,
    stored: Literal["chatgpt", "foreign", "api_key"] = "chatgpt",
    device_codes: bool = True,
    intervals: tuple[str, ...] = ("5", ""),
    slow_downs: int = 2,
    challenges: bool = True,
    retries: int = 1,
    uses: int = 1,
    hot_polling: bool = False,
    slow_down_once: bool = False,
    abort_on_transport_error: bool = False,
    escape_keeps_polling: bool = False,
    status_only: bool = False,
    exchange_again: bool = False,
    unchecked_workspace: bool = False,
    save_in_place: bool = False,
    keyring_shadows_file: bool = False,
    ignore_api_key: bool = False,
    key_deletes_login: bool = False,
    rotation: Rotation = "locked",
) -> System:
    """A login and what follows, with two clients over one store."""
    options = ServerOptions(
        forced_chatgpt_workspace_id, forced_login_method, AuthCredentialsStoreMode(cli_auth_credentials_store_mode)
    )
    profile = Profile(
        hot_polling,
        slow_down_once,
        abort_on_transport_error,
        escape_keeps_polling,
        status_only,
        exchange_again,
        unchecked_workspace,
        save_in_place,
        keyring_shadows_file,
        ignore_api_key,
        key_deletes_login,
        rotation,
    )
    logs_in = part != "refresh"
    clients: dict[str, Process] = {}
    if logs_in:
        clients["client"] = Client(
            options=options,
            profile=profile,
            api_key=api_key,
            uses=uses if part == "all" else 0,
            retries=retries,
        )
    else:
        clients["client"] = Session(options=options, profile=profile, api_key=api_key, uses=uses)
    if part != "login":
        clients["other"] = Session(options=options, profile=profile, api_key=api_key, uses=uses, opened=not logs_in)
    initial = None if logs_in else STORED[stored]
    in_file = options.cli_auth_credentials_store_mode is AuthCredentialsStoreMode.FILE
    store = CredentialStore(
        mode=options.cli_auth_credentials_store_mode,
        profile=profile,
        clients=tuple(clients),
        file=initial if in_file else None,
        keyring=None if in_file else initial,
    )
    if logs_in:
        server: Process = AuthorisationServer(
            enabled=device_codes, intervals=intervals, challenges=challenges, slow_downs=slow_downs
        )
    else:
        server = ProvisionedServer(
            enabled=True,
            intervals=intervals,
            challenges=False,
            slow_downs=0,
            workspace=STORED[stored].workspace,
            valid=STORED[stored].generation,
        )
    watching: dict[str, Monitor] = {
        "workspace_allowed": WorkspaceAllowed(options=options),
        "only_forbidden_removed": OnlyForbiddenRemoved(options=options),
        "api_key_first": ApiKeyFirst(
            api_key=api_key, stored_key=not logs_in and stored == "api_key", options=options
        ),
        "rotation_kept": RotationKept(),
    }
    if logs_in:
        watching |= {
            "one_ending": OneEnding(),
            "quiet_after_end": QuietAfterEnd(),
            "poll_pace": PollPace(),
            "final_answer": FinalAnswer(),
            "transport_retried": TransportRetried(retries=retries),
            "code_once": CodeOnce(),
        }
    sessions = tuple(clients)

    def in_vain(server: View, store: View, *clients: View) -> bool:
        newest = max((c.generation for c in (store.file, store.keyring) if c), default=0)
        return newest == server.valid and any(c.state == "signed_out" for c in clients)

    return System(
        processes={**clients, "server": server, "store": store, **({"user": User(workspaces=(OURS, FOREIGN), others=tuple(clients)[1:])} if logs_in else {})},
        network="fifo",
        monitors=watching,
        properties=(
            always("nobody signs out beside a valid token", lambda *v: not in_vain(*v), reads=("server", "store", *sessions)),
            always("credentials are whole", lambda store: HALF not in (store.file, store.keyring)),
            *(
                sometimes(f"a login is {ending}", lambda client, e=ending: client.login == e, reads=("client",))
                for ending in (("granted", "denied", "expired", "cancelled", "failed") if logs_in else ())
            ),
        ),
        carriers={
            Disconnect: (
                RequestCode, DeviceCode, CodeRefused, Poll, PollAnswer, Exchange, Tokens, ExchangeRefused,
                Refresh, Refreshed, RefreshRefused,
            ),
            KeyringError: (Load, Save, Delete, Claim),
        },
        faults=FAULTS[part],
    )
