"""The options of a login, what they allow, and the faults of the reference as switches."""

from __future__ import annotations

from enum import Enum

from sim import Record

from .messages import Credentials

CODEX_API_KEY_ENV_VAR = "CODEX_API_KEY"
"""The environment variable whose key takes precedence over anything stored."""

INTERVAL_S = 5
"""Between polls where the server names no interval (RFC 8628, 3.2), and what a slow_down adds (3.5)."""


RFC_8628, DEVICE_AUTH = "rfc8628", "device_auth"
"""The protocols in which a server answers polls."""

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
    """What the reference does wrong, one switch each, and the property that it breaks; with all off, the model is
    ours."""

    hot_polling: bool = False
    """A missing interval counts as 0 (poll_pace)."""
    slow_down_once: bool = False
    """Only the first slow_down counts (poll_pace)."""
    abort_on_transport_error: bool = False
    """One unanswered poll ends the login (transport_retried)."""
    escape_keeps_polling: bool = False
    """Escape closes the window, the task polls on (quiet_after_end)."""
    status_only: bool = False
    """Any 403 or 404 while polling counts as pending, whoever answered; shows with `server=device_auth`
    (final_answer)."""
    speaks: str = ""
    """The protocol that the client takes for the server's; empty: the one that it is (final_answer)."""
    unchecked_workspace: bool = False
    """Tokens are stored for any workspace (workspace_allowed)."""
    ignore_api_key: bool = False
    """CODEX_API_KEY is not read; shows with `api_key` (api_key_first)."""
    key_deletes_login: bool = False
    """A key that may not be used causes the stored login to be deleted; shows with `api_key` and a forced method
    (only_forbidden_removed)."""
    rotation: str = "locked"
    """`locked` is ours, under a claim. `retries` refreshes without one and adopts a rotated token found within 4
    attempts; `permanent` takes `refresh_token_reused` as final (session_kept)."""

    # Planted faults that are easily made; we know of no implementation that has them.

    exchange_again: bool = False
    """The exchange is repeated after a transport error (code_once)."""
    save_in_place: bool = False
    """The file is truncated, then written; shows in mode file (credentials are whole)."""
    keyring_shadows_file: bool = False
    """An old keyring entry is read before the newer file of a fallback; shows in mode auto (session_kept)."""
    drop_unsaved: bool = False
    """A new token that cannot be saved at once is dropped; shows in mode keyring (rotation_kept)."""
    forget_interrupted: bool = False
    """A login that a crash interrupted is never settled (one_ending)."""


def ensure_workspace_allowed(options: ServerOptions, credentials: Credentials) -> bool:
    """Whether these may be stored or used: an API key belongs to no workspace and is exempt."""
    forced = options.forced_chatgpt_workspace_id
    return credentials.kind == "api_key" or forced in ("", credentials.workspace)


def is_login_allowed(options: ServerOptions, credentials: Credentials) -> bool:
    """Whether stored credentials satisfy every restriction (`enforce_login_restrictions`)."""
    return ensure_workspace_allowed(options, credentials) and options.forced_login_method in ("", credentials.kind)


def means_pending(protocol: str, status: int, error: str, *, page: bool) -> bool:
    """Whether an answer to a poll says that the user has yet to decide: by a name in RFC 8628, where every error has
    status 400; by the status alone in the device-auth API, which has no names."""
    if page:
        return False
    return error == "authorization_pending" if protocol == RFC_8628 else status in (403, 404)


def interval_of(text: str) -> int:
    """The interval in force at the start, in seconds: the server's, or the standard's."""
    return int(text) if text.isdecimal() else INTERVAL_S
