"""The messages between client, authorisation server, user and credential store, and what can be observed.

`life` counts the starts of the process that asks: an answer to an earlier life came on a connection that died with it.
"""

from __future__ import annotations

from typing import ClassVar

from sim import Emission, Fault, Message, Record


class Credentials(Record):
    """What is stored of a login. `generation` numbers the refresh tokens of the server, from 1."""

    kind: str
    """`chatgpt` or `api_key`."""
    workspace: str = ""
    generation: int = 0


# --- with the authorisation server ----------------------------------------------------------------------


class RequestCode(Message):
    """Asks for a device code (the `usercode` call)."""

    life: int


class DeviceCode(Message):
    """The device code; `interval` is in seconds, as text, and empty where the server leaves it out."""

    interval: str
    life: int


class CodeRefused(Message):
    """The usercode call failed; 404 says that the server does not offer device codes."""

    status: int
    life: int


class Poll(Message):
    """Has the user decided?"""

    life: int


class PollAnswer(Message):
    """`error` is one of RFC 8628, and empty with a code (status 200) and in whatever the device-auth API answers."""

    status: int
    error: str
    code: int
    life: int
    page: bool = False
    """Whether something on the way answered, with a page of its own."""


class Exchange(Message):
    """The authorisation code, in exchange for tokens."""

    code: int
    life: int


class Tokens(Message):
    """What a code was exchanged for."""

    credentials: Credentials
    life: int


class ExchangeRefused(Message):
    """The code is unknown, expired or spent."""

    life: int


class Refresh(Message):
    """The refresh token of `generation`, in exchange for the next one."""

    generation: int
    life: int


class Refreshed(Message):
    """The answer to a refresh of `generation`, which is void from now on."""

    generation: int
    credentials: Credentials
    life: int


class RefreshRefused(Message):
    """The refresh token of `generation` was used before (`refresh_token_reused`)."""

    generation: int
    life: int


class ConnectionLost(Message):
    """The transport reports that a request never reached the server; `about` is its class."""

    about: str
    life: int


# --- with the user --------------------------------------------------------------------------------------


class Prompt(Message):
    """Shows the user code, and where to enter it."""


class Welcome(Message):
    """Tells the user that the login was granted."""


class Open(Message):
    """The user opens a second client."""


class Approve(Message):
    """The user grants the device access, with an account of `workspace`."""

    workspace: str


class Deny(Message):
    """The user denies the device access."""


# --- with the credential store --------------------------------------------------------------------------


class Load(Message):
    """What is stored?"""

    life: int


class Loaded(Message):
    """What is stored, if anything is."""

    credentials: Credentials | None
    life: int


class Save(Message):
    """Store these credentials."""

    credentials: Credentials
    life: int


class Saved(Message):
    """They are stored."""

    life: int


class Delete(Message):
    """Remove whatever is stored (a logout)."""

    life: int


class Deleted(Message):
    """Nothing is stored any more."""

    life: int


class Claim(Message):
    """Asks for the right to refresh, which one client has at a time."""

    life: int


class Claimed(Message):
    """The right to refresh, with what is stored now that no other client can rotate it."""

    credentials: Credentials | None
    life: int


class Release(Message):
    """Returns the right to refresh."""


class StoreFailed(Message):
    """The keyring did not answer, and there is no other place to look; nothing was changed."""

    life: int


class Reopened(Message):
    """The store was interrupted: whoever waits for its answer asks again."""


class KeyringError(Fault):
    """The keyring does not answer."""

    kind: ClassVar[str] = "keyring_error"


# --- what can be observed -------------------------------------------------------------------------------

ENDINGS = ("granted", "denied", "expired", "cancelled", "failed")
"""The ways in which a login ends."""


class Began(Emission):
    """A login began."""


class Ended(Emission):
    """The login ended, in one of `ENDINGS`; `reason` says why it failed."""

    ending: str
    reason: str = ""


class Waiting(Emission):
    """The poll timer was armed."""

    wait_s: int


class Polled(Emission):
    """A poll was sent."""


class TransportError(Emission):
    """A poll got no answer."""


class Presented(Emission):
    """The client sent a code to be exchanged."""

    code: int


class Issued(Emission):
    """The server gave tokens for a code."""

    code: int


class Rotated(Emission):
    """The server replaced the refresh token; `generation` is the new one."""

    generation: int


class Taken(Emission):
    """A client got a new refresh token, and has the only copy."""

    client: str
    generation: int


class Stored(Emission):
    """Credentials were stored."""

    credentials: Credentials


class Removed(Emission):
    """Credentials were removed."""

    credentials: Credentials


class Authenticated(Emission):
    """A client authenticated: by `api_key` or `chatgpt`."""

    client: str
    by: str


class SignedOut(Emission):
    """A client gave up its session: a new login is needed."""

    client: str
