"""Login by device code (RFC 8628, or OpenAI's device-auth API), its credential store, and two clients that rotate one refresh token.
`docs/device_login.md` says what is checked within which bounds."""

from __future__ import annotations

from typing import Literal, get_args

from sim import ConfigError, System

from .messages import Credentials
from .options import FOREIGN, OURS, RFC_8628, AuthCredentialsStoreMode, Profile, ServerOptions
from .server import SERVERS
from .session import LaterClient
from .world import logging_in, refreshing

Part = Literal["all", "login", "refresh"]
StoreMode = Literal["file", "keyring", "auto"]
Method = Literal["", "chatgpt"]
Content = Literal["chatgpt", "foreign", "api_key", "nothing"]
Rotation = Literal["locked", "retries", "permanent"]
Protocol = Literal["rfc8628", "device_auth"]
Spoken = Literal["", "rfc8628", "device_auth"]

WORDS = {
    "part": Part,
    "cli_auth_credentials_store_mode": StoreMode,
    "forced_login_method": Method,
    "stored": Content,
    "rotation": Rotation,
    "server": Protocol,
    "speaks": Spoken,
}
"""The parameters that must be one of a few words."""

STORED: dict[str, Credentials | None] = {
    "chatgpt": Credentials("chatgpt", OURS, 1),
    "foreign": Credentials("chatgpt", FOREIGN, 1),
    "api_key": Credentials("api_key"),
    "nothing": None,
}
"""What may be stored when a check begins after the login."""


def system(
    part: Part = "all",
    cli_auth_credentials_store_mode: StoreMode = "auto",
    forced_chatgpt_workspace_id: str = OURS,
    forced_login_method: Method = "",
    api_key: bool = False,
    stored: Content = "chatgpt",
    server: Protocol = "rfc8628",
    device_codes: bool = True,
    intervals: tuple[str, ...] = ("5", ""),
    slow_downs: int = 2,
    challenges: bool = True,
    retries: int = 1,
    uses: int = 1,
    liveness: bool = False,
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
    drop_unsaved: bool = False,
    forget_interrupted: bool = False,
    rotation: Rotation = "locked",
    speaks: Spoken = "",
) -> System:
    """One login by device code, and the sessions that follow.

    - `part`: `all` (a login, then two clients refresh), or `login` or `refresh` alone, with larger budgets
    - `cli_auth_credentials_store_mode`: `file`, `keyring`, or `auto`: the keyring, the file where it fails
    - `forced_chatgpt_workspace_id`: the workspace that tokens must be for; the user has an account in `ours`
      and one in `foreign`; empty allows any
    - `forced_login_method`: `chatgpt`, or empty for any
    - `api_key`: whether CODEX_API_KEY is set
    - `stored`: what part `refresh` begins with: a login for `ours` (`chatgpt`) or `foreign`, a key, nothing
    - `server`: how it answers polls: `rfc8628`, with the names of that standard, or `device_auth`, OpenAI's API, where
      403 and 404 mean pending and a denial is not told
    - `device_codes`: whether the server offers them; it answers 404 otherwise
    - `intervals`: the intervals that the server may set, in seconds; empty: it names none
    - `slow_downs`: how often it may answer `slow_down`, which only RFC 8628 has
    - `challenges`: whether an intermediary may answer a poll with its own 403
    - `retries`: polls that may go unanswered in one login
    - `uses`: how often each client is used; every use finds the token due and refreshes it
    - `liveness`: also check that a login ends on every fair run (keeps every edge in memory)

    The others are the reference's faults, off by default: see `Profile`. Raises `ConfigError` with one line for each
    invalid value.
    """
    _judge_words(part, cli_auth_credentials_store_mode, forced_login_method, stored, rotation, server, speaks)
    _judge_numbers(intervals, slow_downs=slow_downs, retries=retries, uses=uses)
    mode = AuthCredentialsStoreMode(cli_auth_credentials_store_mode)
    options = ServerOptions(forced_chatgpt_workspace_id, forced_login_method, mode)
    profile = Profile(
        hot_polling=hot_polling,
        slow_down_once=slow_down_once,
        abort_on_transport_error=abort_on_transport_error,
        escape_keeps_polling=escape_keeps_polling,
        status_only=status_only,
        exchange_again=exchange_again,
        unchecked_workspace=unchecked_workspace,
        save_in_place=save_in_place,
        keyring_shadows_file=keyring_shadows_file,
        ignore_api_key=ignore_api_key,
        key_deletes_login=key_deletes_login,
        drop_unsaved=drop_unsaved,
        forget_interrupted=forget_interrupted,
        rotation=rotation,
        speaks=speaks,
    )
    later = LaterClient(options=options, profile=profile, api_key=api_key, uses=uses, opened=part == "refresh")
    if part == "refresh":
        return refreshing(later, STORED[stored])
    slow = slow_downs if server == RFC_8628 else 0
    asked = SERVERS[server](enabled=device_codes, intervals=intervals, challenges=challenges, slow_downs=slow)
    return logging_in(later, asked, retries, alone=part == "login", liveness=liveness)


def _judge_words(*given: str) -> None:
    mistakes = [
        f"unknown {name} {value!r}: use {', '.join(map(repr, get_args(kind)))}"
        for (name, kind), value in zip(WORDS.items(), given, strict=True)
        if value not in get_args(kind)
    ]
    if mistakes:
        raise ConfigError(*mistakes)


def _judge_numbers(intervals: tuple[str, ...], **counts: int) -> None:
    mistakes = [f"{name} is {count}; must be 0 or more" for name, count in counts.items() if count < 0]
    if not intervals:
        mistakes.append("intervals is empty; name at least one, such as '5', or '' for a server that names none")
    mistakes += [
        f"interval {text!r} is not a number of seconds; write one such as '5', or '' for none"
        for text in intervals
        if text and not (text.isascii() and text.isdecimal())
    ]
    if mistakes:
        raise ConfigError(*mistakes)
