"""The client that logs in by device code, in the protocol of its server, and then uses its session like any other."""

from __future__ import annotations

from sim import IGNORE, Disconnect, Message

from .messages import (
    Began,
    CodeRefused,
    ConnectionLost,
    DeviceCode,
    Ended,
    Exchange,
    ExchangeRefused,
    Loaded,
    Poll,
    PollAnswer,
    Polled,
    Presented,
    Prompt,
    Reopened,
    RequestCode,
    Saved,
    StoreFailed,
    Tokens,
    TransportError,
    Waiting,
    Welcome,
)
from .options import INTERVAL_S, RFC_8628, ensure_workspace_allowed, interval_of, means_pending
from .session import Session

PATIENCE_MS = 30_000
"""How long a poll may go unanswered."""

LIMIT_MS = 15 * 60_000
"""The client's own limit of a login, for a server that never says `expired`."""


class Client(Session):
    """Polls no faster than the interval in force: a poll is sent only when the poll timer fires.

    The code is presented once; if its answer is lost, the login failed. Whatever happens, the login ends once: after a
    crash the content of the store decides how.
    """

    states = (*Session.states, "requesting", "waiting", "polling", "exchanging", "storing", "recovering")
    hot = (*Session.hot, "requesting", "waiting", "polling", "exchanging", "storing", "recovering")
    must = ("begin", "recover")
    may = ("use", "escape")
    timers = ("poll", "patience", "deadline")
    durable = (*Session.durable, "login")
    transitions = (
        *(
            {"trigger": answer, "source": "*", "dest": IGNORE, "conditions": "is_of_an_earlier_life"}
            for answer in (DeviceCode, CodeRefused, PollAnswer, Tokens, ExchangeRefused)
        ),
        {"trigger": "begin", "source": "idle", "dest": "requesting", "conditions": "is_due", "after": "begin_login"},
        {"trigger": "recover", "source": "idle", "dest": "recovering", "conditions": "was_interrupted", "after": "ask"},
        {"trigger": DeviceCode, "source": "requesting", "dest": "waiting", "after": "show_code"},
        {"trigger": CodeRefused, "source": "requesting", "dest": "idle", "after": "end_disabled"},
        # Polling. A late answer is as good as one in time.
        {"trigger": "poll", "source": "waiting", "dest": "polling", "after": "poll"},
        {
            "trigger": PollAnswer,
            "source": ["waiting", "polling"],
            "dest": "exchanging",
            "conditions": "brings_code",
            "after": "exchange",
        },
        {"trigger": PollAnswer, "source": "polling", "dest": "waiting", "conditions": "is_pending", "after": "wait"},
        {"trigger": PollAnswer, "source": "waiting", "dest": None, "conditions": "is_pending"},
        {
            "trigger": PollAnswer,
            "source": ["waiting", "polling"],
            "dest": "waiting",
            "conditions": "is_slow_down",
            "after": ["slow_down", "wait"],
        },
        {
            "trigger": PollAnswer,
            "source": ["waiting", "polling"],
            "dest": "idle",
            "after": "end_as_told",
        },
        {"trigger": "deadline", "source": ["waiting", "polling"], "dest": "idle", "after": "end_expired"},
        # A poll without an answer is repeated, more slowly (RFC 8628, 3.5); anything else is not.
        {
            "trigger": "patience",
            "source": "polling",
            "dest": "waiting",
            "conditions": "may_poll_again",
            "after": ["note_error", "wait"],
        },
        {"trigger": "patience", "source": "polling", "dest": "idle", "after": ["note_error", "end_unreachable"]},
        *(
            row
            for lost, is_ours in ((Disconnect, "breaks_request"), (ConnectionLost, "is_about_request"))
            for row in (
                {
                    "trigger": lost,
                    "source": "polling",
                    "dest": "waiting",
                    "conditions": [is_ours, "may_poll_again"],
                    "after": ["note_error", "wait"],
                },
                {
                    "trigger": lost,
                    "source": "polling",
                    "dest": "idle",
                    "conditions": is_ours,
                    "after": ["note_error", "end_unreachable"],
                },
                {
                    "trigger": lost,
                    "source": "exchanging",
                    "dest": None,
                    "conditions": [is_ours, "may_exchange_again"],
                    "after": "present",
                },
                {
                    "trigger": lost,
                    "source": ["requesting", "exchanging"],
                    "dest": "idle",
                    "conditions": is_ours,
                    "after": "end_unanswered",
                },
            )
        ),
        # The workspace is looked at before anything is stored.
        {"trigger": Tokens, "source": "exchanging", "dest": "storing", "conditions": "may_store", "after": "store"},
        {"trigger": Tokens, "source": "exchanging", "dest": "idle", "after": "end_foreign"},
        {"trigger": ExchangeRefused, "source": "exchanging", "dest": "idle", "after": "end_refused"},
        {"trigger": Saved, "source": "storing", "dest": "idle", "after": "end_granted"},
        {
            "trigger": Loaded,
            "source": "recovering",
            "dest": "idle",
            "conditions": "finds_login",
            "after": "end_granted",
        },
        {"trigger": Loaded, "source": "recovering", "dest": "idle", "after": "end_interrupted"},
        *(
            {"trigger": again, "source": ["storing", "recovering"], "dest": None, "after": "ask"}
            for again in (StoreFailed, Reopened)
        ),
        # Escape: nothing more is polled or stored. What is already being stored is granted.
        {
            "trigger": "escape",
            "source": ["requesting", "waiting", "polling", "exchanging"],
            "dest": None,
            "conditions": ["is_open", "polls_on"],
            "after": "report_cancelled",
        },
        {
            "trigger": "escape",
            "source": ["requesting", "waiting", "polling", "exchanging"],
            "dest": "idle",
            "conditions": "is_open",
            "after": "end_cancelled",
        },
        *(
            {"trigger": answer, "source": "*", "dest": IGNORE}
            for answer in (DeviceCode, CodeRefused, PollAnswer, Tokens, ExchangeRefused)
        ),
        *Session.transitions,
    )

    protocol: str = RFC_8628
    """The server's."""
    retries: int = 2
    """Polls that may go unanswered in one login; one more, and it has failed."""
    login: str = ""
    """Empty before it begins, then `open`, then how it ended."""
    interval_s: int = 0
    errors: int = 0
    slowed: bool = False
    code: int = 0

    def request(self) -> tuple[str, Message]:
        if self.state == "requesting":
            return "server", RequestCode(self.life)
        if self.state == "polling":
            return "server", Poll(self.life)
        if self.state == "exchanging":
            return "server", Exchange(self.code, self.life)
        return super().request()

    def breaks_request(self, fault: Disconnect) -> bool:
        answers = {
            "requesting": (DeviceCode, CodeRefused),
            "polling": (PollAnswer,),
            "exchanging": (Tokens, ExchangeRefused),
        }
        answer = fault.message
        if self.state not in answers:
            return super().breaks_request(fault)
        return isinstance(answer, answers[self.state]) and not self.is_of_an_earlier_life(answer)

    def may_use(self) -> bool:
        return super().may_use() and not self.is_due() and not self.is_open()

    def was_interrupted(self) -> bool:
        """A login is open and the client at rest: a crash interrupted it."""
        return self.is_open() and not self.profile.forget_interrupted

    def finds_login(self, loaded: Loaded) -> bool:
        """A key stored earlier is not what the login would have stored."""
        return loaded.credentials is not None and loaded.credentials.kind == "chatgpt"

    # --- the beginning ------------------------------------------------------------------------------

    def is_due(self) -> bool:
        return self.login == ""

    def is_open(self) -> bool:
        return self.login == "open"

    def begin_login(self) -> None:
        self.emit(Began(), login="open")
        self.ask()

    def show_code(self, code: DeviceCode) -> None:
        hot = self.profile.hot_polling and not code.interval
        self.interval_s = 0 if hot else interval_of(code.interval)
        self.arm("deadline", LIMIT_MS)
        self.wait()
        self.send("user", Prompt())

    # --- polling ------------------------------------------------------------------------------------

    def wait(self) -> None:
        """The only place that arms the poll timer; also after a late answer."""
        self.cancel("patience")
        self.arm("poll", self.interval_s * 1_000)
        self.emit(Waiting(self.interval_s))

    def poll(self) -> None:
        self.emit(Polled())
        self.ask()
        self.arm("patience", PATIENCE_MS)

    def brings_code(self, answer: PollAnswer) -> bool:
        return answer.status == 200

    def is_pending(self, answer: PollAnswer) -> bool:
        if self.profile.status_only:
            return answer.status in (403, 404)
        return means_pending(self.profile.speaks or self.protocol, answer.status, answer.error, page=answer.page)

    def is_slow_down(self, answer: PollAnswer) -> bool:
        return answer.error == "slow_down"

    def slow_down(self) -> None:
        """Every slow_down adds to the interval in force (RFC 8628, 3.5: "this and all subsequent requests")."""
        if not (self.profile.slow_down_once and self.slowed):
            self.interval_s += INTERVAL_S
        self.slowed = self.profile.slow_down_once

    def may_poll_again(self) -> bool:
        return self.errors < self.retries and not self.profile.abort_on_transport_error

    def note_error(self) -> None:
        self.emit(TransportError())
        self.errors += 1
        self.interval_s *= 2

    # --- the code -----------------------------------------------------------------------------------

    def exchange(self, answer: PollAnswer) -> None:
        for timer in ("poll", "patience", "deadline"):
            self.cancel(timer)
        self.interval_s, self.errors, self.slowed = 0, 0, False
        self.code = answer.code
        self.present()

    def present(self) -> None:
        self.emit(Presented(self.code))
        self.ask()

    def may_exchange_again(self) -> bool:
        return self.profile.exchange_again

    def may_store(self, tokens: Tokens) -> bool:
        return self.profile.unchecked_workspace or ensure_workspace_allowed(self.options, tokens.credentials)

    def store(self, tokens: Tokens) -> None:
        self.held = tokens.credentials
        self.ask()

    # --- the end ------------------------------------------------------------------------------------

    def polls_on(self) -> bool:
        return self.profile.escape_keeps_polling

    def report_cancelled(self) -> None:
        """The window is closed, but its task lives on and has nobody to report to."""
        self.emit(Ended("cancelled"), login="cancelled")

    def end(self, ending: str, reason: str = "") -> None:
        for timer in ("poll", "patience", "deadline"):
            self.cancel(timer)
        self.interval_s, self.errors, self.slowed, self.code, self.held = 0, 0, False, 0, None
        if self.is_open():
            self.emit(Ended(ending, reason), login=ending)
            if ending == "granted":
                self.send("user", Welcome())

    def end_as_told(self, answer: PollAnswer) -> None:
        told = {"access_denied": "denied", "expired_token": "expired"}
        self.end(told.get(answer.error, "failed"), "" if answer.error in told else "refused")

    def end_granted(self) -> None:
        self.end("granted")

    def end_expired(self) -> None:
        self.end("expired")

    def end_cancelled(self) -> None:
        self.end("cancelled")

    def end_disabled(self) -> None:
        self.end("failed", "disabled")

    def end_unreachable(self) -> None:
        self.end("failed", "unreachable")

    def end_unanswered(self) -> None:
        self.end("failed", "unanswered")

    def end_foreign(self) -> None:
        self.end("failed", "workspace")

    def end_refused(self) -> None:
        self.end("failed", "refused")

    def end_interrupted(self) -> None:
        self.end("failed", "interrupted")
