"""The options of a login, what they allow, and the faults of the reference as switches."""

from __future__ import annotations

from enum import Enum

from models.device_login.messages import Credentials
from sim import Record

CODEX_API_KEY_ENV_VAR = "CODEX_API_KEY"
"""The environment variable whose key comes before anything that is stored."""

INTERVAL_S = 5
"""Between polls where the server names no interval (RFC 8628, 3.2), and what a slow_down adds (3.5)."""


OURS, FOREIGN = "ours", "foreign"
"""The workspaces in which the user has an account."""


class AuthCredentialsStoreMode(Enum):
    """Where credentials are kept."""

    FILE = "file"
    KEYRING = "keyring"
    AUTO = "auto"
    """The keyring, or the file where the keyring fails."""


class ServerOptions(Record):
    """How a login is configured; an empty text forces nothing."""

    forced_chatgpt_workspace_id: str = ""
    forced_login_method: str = ""
    """`chatgpt`, or empty: any."""
    cli_auth_credentials_store_mode: AuthCredentialsStoreMode = AuthCredentialsStoreMode.AUTO


class Profile(Record):
    """What the reference does wrong, one switch each; all off, the model is ours. `system` documents them."""

    hot_polling: bool = False
    slow_down_once: bool = False
    abort_on_transport_error: bool = False
    escape_keeps_polling: bool = False
    status_only: bool = False
    exchange_again: bool = False
    unchecked_workspace: bool = False
    save_in_place: bool = False
    keyring_shadows_file: bool = False
    ignore_api_key: bool = False
    key_deletes_login: bool = False
    drop_unsaved: bool = False
    forget_interrupted: bool = False
    rotation: str = "locked"


def ensure_workspace_allowed(options: ServerOptions, credentials: Credentials) -> bool:
    """Whether these may be stored or used: an API key belongs to no workspace and is exempt."""
    forced = options.forced_chatgpt_workspace_id
    return credentials.kind == "api_key" or forced in ("", credentials.workspace)


def is_login_allowed(options: ServerOptions, credentials: Credentials) -> bool:
    """Whether stored credentials satisfy every restriction (`enforce_login_restrictions`)."""
    return ensure_workspace_allowed(options, credentials) and options.forced_login_method in ("", credentials.kind)


def interval_of(text: str) -> int:
    """The interval in force at the start, in seconds: what the server says, or the standard's."""
    return int(text) if text.isdecimal() else INTERVAL_S
