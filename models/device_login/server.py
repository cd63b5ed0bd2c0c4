"""The authorisation servers: device codes, their exchange, and refresh tokens that rotate.

Two protocols lead to a login by device code, and differ in how a poll is answered: RFC 8628 names every error, with
status 400 (RFC 6749, 5.2); OpenAI's device-auth API has statuses only, of which 403 and 404 mean pending.
"""

from __future__ import annotations

from sim import IGNORE, Disconnect, Process

from .messages import (
    Approve,
    CodeRefused,
    ConnectionLost,
    Credentials,
    Deny,
    DeviceCode,
    Exchange,
    ExchangeRefused,
    Issued,
    Poll,
    PollAnswer,
    Refresh,
    Refreshed,
    RefreshRefused,
    RequestCode,
    Rotated,
    Tokens,
)
from .options import DEVICE_AUTH, RFC_8628

CODE = 1
"""The authorisation code of the only login."""

LIFETIME_MS = 15 * 60_000


class AuthorisationServer(Process):
    """Handles one device code, and answers polls as RFC 8628 says; its states are those of that code. It never crashes.

    A poll after the approval returns the same code again until it is spent: only the exchange happens once.
    """

    states = ("unasked", "pending", "approved", "denied", "expired", "spent")
    timers = ("lifetime",)
    transitions = (
        {"trigger": RequestCode, "source": "unasked", "dest": None, "unless": "offers_codes", "after": "refuse_code"},
        {"trigger": RequestCode, "source": "unasked", "dest": "pending", "after": "give_code"},
        # A repeated request gets no answer: its client does not wait for one.
        {"trigger": RequestCode, "source": "*", "dest": IGNORE},
        {"trigger": Approve, "source": "pending", "dest": "approved", "after": "note_workspace"},
        {"trigger": Deny, "source": "pending", "dest": "denied", "after": "settle"},
        # Too late, or repeated.
        {"trigger": Approve, "source": "*", "dest": IGNORE},
        {"trigger": Deny, "source": "*", "dest": IGNORE},
        {"trigger": "lifetime", "source": ["pending", "approved"], "dest": "expired", "after": "settle"},
        {"trigger": Poll, "source": "pending", "dest": None, "after": "put_off"},
        {"trigger": Poll, "source": "approved", "dest": None, "after": "give_authorisation"},
        {"trigger": Poll, "source": "denied", "dest": None, "after": "answer_denied"},
        {"trigger": Poll, "source": ["expired", "spent"], "dest": None, "after": "answer_expired"},
        {"trigger": Exchange, "source": "approved", "dest": "spent", "after": "issue"},
        {"trigger": Exchange, "source": ["expired", "spent"], "dest": None, "after": "refuse_exchange"},
        # Rotation: a refresh token is good for one refresh.
        {"trigger": Refresh, "source": "spent", "dest": None, "conditions": "is_valid", "after": "rotate"},
        {"trigger": Refresh, "source": "spent", "dest": None, "after": "refuse_refresh"},
        # The connection breaks before the request is read.
        {"trigger": Disconnect, "source": "*", "dest": None, "after": "lose_request"},
    )

    enabled: bool
    """Whether device codes are offered."""
    intervals: tuple[str, ...]
    challenges: bool
    """Whether an intermediary may answer a poll with its own 403."""
    slow_downs: int
    """How often a poll may still be answered with slow_down."""
    workspace: str = ""
    valid: int = 0
    """The generation of the refresh token that is good; 0 before the first."""

    def offers_codes(self) -> bool:
        return self.enabled

    def refuse_code(self, request: RequestCode) -> None:
        self.send(self.sender, CodeRefused(404, request.life))

    def give_code(self, request: RequestCode) -> None:
        self.arm("lifetime", LIFETIME_MS)
        self.send(self.sender, DeviceCode(self.choose(*self.intervals), request.life))

    def note_workspace(self, approve: Approve) -> None:
        self.workspace = approve.workspace
        self.slow_downs = 0

    def settle(self) -> None:
        """The code is useless now; keeping what only it needed would distinguish equal states."""
        self.cancel("lifetime")
        self.slow_downs = 0
        self.workspace = ""

    # --- polls --------------------------------------------------------------------------------------

    def put_off(self, poll: Poll) -> None:
        challenge = ("challenge",) if self.challenges else ()
        slow_down = ("slow_down",) if self.slow_downs else ()
        answer = self.choose("pending", *slow_down, *challenge)
        if answer == "slow_down":
            self.slow_downs -= 1
            self.answer_poll(poll, 400, "slow_down")
        elif answer == "challenge":
            self.stand_in(poll)
        else:
            self.answer_pending(poll)

    def answer_pending(self, poll: Poll) -> None:
        self.answer_poll(poll, 400, "authorization_pending")

    def stand_in(self, poll: Poll) -> None:
        """Something on the way answers for the server."""
        self.send(self.sender, PollAnswer(403, "", 0, poll.life, page=True))

    def give_authorisation(self, poll: Poll) -> None:
        self.answer_poll(poll, 200, "", CODE)

    def answer_denied(self, poll: Poll) -> None:
        self.answer_poll(poll, 400, "access_denied")

    def answer_expired(self, poll: Poll) -> None:
        self.answer_poll(poll, 400, "expired_token")

    def answer_poll(self, poll: Poll, status: int, error: str, code: int = 0) -> None:
        self.send(self.sender, PollAnswer(status, error, code, poll.life))

    # --- tokens -------------------------------------------------------------------------------------

    def issue(self, exchange: Exchange) -> None:
        self.cancel("lifetime")
        self.valid = 1
        self.emit(Issued(exchange.code))
        self.send(self.sender, Tokens(self.credentials(), exchange.life))

    def refuse_exchange(self, exchange: Exchange) -> None:
        self.send(self.sender, ExchangeRefused(exchange.life))

    def is_valid(self, refresh: Refresh) -> bool:
        return refresh.generation == self.valid

    def rotate(self, refresh: Refresh) -> None:
        self.valid += 1
        self.emit(Rotated(self.valid))
        self.send(self.sender, Refreshed(refresh.generation, self.credentials(), refresh.life))

    def refuse_refresh(self, refresh: Refresh) -> None:
        self.send(self.sender, RefreshRefused(refresh.generation, refresh.life))

    def credentials(self) -> Credentials:
        return Credentials("chatgpt", self.workspace, self.valid)

    def lose_request(self, fault: Disconnect) -> None:
        request = fault.message
        if isinstance(request, RequestCode | Poll | Exchange | Refresh):
            self.send(self.sender, ConnectionLost(type(request).__name__, request.life))


class DeviceAuthServer(AuthorisationServer):
    """The same, and answers polls as OpenAI's device-auth API does: no decision yet, a denial and an end of the code
    cannot be told apart. It names no interval to slow down to."""

    def answer_pending(self, poll: Poll) -> None:
        self.answer_poll(poll, 403, "")

    def answer_denied(self, poll: Poll) -> None:
        self.answer_poll(poll, 403, "")

    def answer_expired(self, poll: Poll) -> None:
        self.answer_poll(poll, 404, "")


SERVERS: dict[str, type[AuthorisationServer]] = {RFC_8628: AuthorisationServer, DEVICE_AUTH: DeviceAuthServer}


class ProvisionedServer(AuthorisationServer):
    """The same after a login: a session exists."""

    initial = "spent"
