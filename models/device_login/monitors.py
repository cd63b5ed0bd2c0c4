"""What must hold of a login and of the sessions that follow."""

from __future__ import annotations

from sim import Crashed, Monitor, Received

from .messages import (
    ENDINGS,
    Authenticated,
    Began,
    DeviceCode,
    Ended,
    Issued,
    PollAnswer,
    Polled,
    Presented,
    Removed,
    Rotated,
    SignedOut,
    Stored,
    Taken,
    TransportError,
    Waiting,
)
from .options import (
    INTERVAL_S,
    RFC_8628,
    ServerOptions,
    ensure_workspace_allowed,
    interval_of,
    is_login_allowed,
    means_pending,
)


class OneEnding(Monitor):
    """A login that began ends, once, in one of the five ways; nothing of it is polled or stored after
    another end than `granted`."""

    states = ("before", "open", "over")
    hot = ("open",)
    transitions = (
        {"trigger": Began, "source": "before", "dest": "open"},
        {"trigger": Began, "source": ["open", "over"], "dest": None, "after": "complain_of_begin"},
        {"trigger": Ended, "source": "open", "dest": "over", "after": "note"},
        {"trigger": Ended, "source": ["before", "over"], "dest": None, "after": "complain"},
    )

    def note(self, ended: Ended) -> None:
        if ended.ending not in ENDINGS:
            self.violate(f"the login ended as {ended.ending}, which is no ending")

    def complain_of_begin(self) -> None:
        self.violate("the login began twice")

    def complain(self, ended: Ended) -> None:
        self.violate(f"the login ended once more, as {ended.ending}")


class QuietAfterEnd(Monitor):
    """After a login ended, nothing of it is polled; unless it was granted, nothing of it is stored."""

    states = ("running", "granted", "void")
    transitions = (
        {"trigger": Ended, "source": "running", "dest": "granted", "conditions": "is_granted"},
        {"trigger": Ended, "source": "running", "dest": "void", "after": "look_back"},
        {"trigger": Ended, "source": ["granted", "void"], "dest": None},
        {"trigger": Stored, "source": "running", "dest": None, "after": "note"},
        {"trigger": Stored, "source": "granted", "dest": None},
        {"trigger": Stored, "source": "void", "dest": None, "after": "complain_of_store"},
        {"trigger": Polled, "source": "running", "dest": None},
        {"trigger": Polled, "source": ["granted", "void"], "dest": None, "after": "complain_of_poll"},
    )

    stored: bool = False

    def is_granted(self, ended: Ended) -> bool:
        return ended.ending == "granted"

    def note(self) -> None:
        self.stored = True

    def look_back(self, ended: Ended) -> None:
        if self.stored:
            self.violate(f"the login ended as {ended.ending}, but its tokens are stored")

    def complain_of_store(self) -> None:
        self.violate("tokens were stored after their login had ended without being granted")

    def complain_of_poll(self) -> None:
        self.violate("a poll was sent after the login had ended")


class PollPace(Monitor):
    """A poll is sent only after a wait of at least the interval in force: the server's, or the standard's if it names
    none; more after each slow_down, double after each transport error."""

    states = ("idle", "begun", "polling")
    transitions = (
        {"trigger": Began, "source": "idle", "dest": "begun"},
        {"trigger": Received, "source": "begun", "dest": "polling", "conditions": "brings_interval", "after": "start"},
        {"trigger": Received, "source": "polling", "dest": None, "conditions": "is_slow_down", "after": "slow_down"},
        {"trigger": Received, "source": "*", "dest": None},
        {"trigger": TransportError, "source": "polling", "dest": None, "after": "double"},
        {"trigger": Waiting, "source": "polling", "dest": None, "after": "note"},
        {"trigger": Polled, "source": "polling", "dest": None, "after": "judge"},
        {"trigger": Polled, "source": "idle", "dest": None},
        {"trigger": Waiting, "source": "idle", "dest": None},
        {"trigger": TransportError, "source": "idle", "dest": None},
        {"trigger": Presented, "source": "*", "dest": "idle", "after": "forget"},
        {"trigger": Ended, "source": "*", "dest": "idle", "after": "forget"},
        {"trigger": Crashed, "source": "*", "dest": "idle", "conditions": "is_client", "after": "forget"},
        {"trigger": Crashed, "source": "*", "dest": None},
    )

    in_force_s: int = 0
    waited_s: int = -1
    """The wait since the last poll; negative before the first."""

    def brings_interval(self, received: Received) -> bool:
        return isinstance(received.message, DeviceCode)

    def is_slow_down(self, received: Received) -> bool:
        return isinstance(received.message, PollAnswer) and received.message.error == "slow_down"

    def start(self, received: Received) -> None:
        if isinstance(received.message, DeviceCode):
            self.in_force_s = interval_of(received.message.interval)

    def slow_down(self) -> None:
        self.in_force_s += INTERVAL_S

    def double(self) -> None:
        self.in_force_s *= 2

    def note(self, waiting: Waiting) -> None:
        self.waited_s = waiting.wait_s

    def judge(self) -> None:
        if self.waited_s < self.in_force_s:
            waited = f"{self.waited_s} s" if self.waited_s >= 0 else "none"
            self.violate(f"polled after a wait of {waited} where {self.in_force_s} s are in force")
        self.waited_s = -1

    def forget(self) -> None:
        self.in_force_s, self.waited_s = 0, -1

    def is_client(self, crashed: Crashed) -> bool:
        return crashed.process == "client"


class FinalAnswer(Monitor):
    """A final answer of the server ends the login, and accordingly: denied, expired, or failed if the answer is not one
    of the protocol's. An answer that means pending ends nothing."""

    states = ("idle", "polling", "told")
    transitions = (
        {"trigger": Polled, "source": "idle", "dest": "polling"},
        {"trigger": Polled, "source": "polling", "dest": None},
        {"trigger": Polled, "source": "told", "dest": None, "after": "complain_of_poll"},
        {"trigger": Received, "source": "polling", "dest": "told", "conditions": "is_final", "after": "note"},
        {"trigger": Received, "source": "*", "dest": None},
        {"trigger": Ended, "source": "told", "dest": "idle", "before": "judge"},
        {"trigger": Ended, "source": "polling", "dest": "idle", "after": "judge_without"},
        {"trigger": Ended, "source": "idle", "dest": None},
        {"trigger": Presented, "source": "*", "dest": "idle", "after": "forget"},
        {"trigger": Crashed, "source": "*", "dest": "idle", "conditions": "is_client", "after": "forget"},
        {"trigger": Crashed, "source": "*", "dest": None},
    )

    protocol: str = RFC_8628
    told: str = ""

    def is_final(self, received: Received) -> bool:
        answer = received.message
        if not isinstance(answer, PollAnswer) or answer.status == 200 or answer.error == "slow_down":
            return False
        return not means_pending(self.protocol, answer.status, answer.error, page=answer.page)

    def note(self, received: Received) -> None:
        if isinstance(received.message, PollAnswer):
            told = {"access_denied": "denied", "expired_token": "expired"}
            self.told = told.get(received.message.error, "failed")

    def judge(self, ended: Ended) -> None:
        if ended.ending != self.told:
            self.violate(f"the login ended as {ended.ending}, but the answer was {self.told}")
        self.forget()

    def judge_without(self, ended: Ended) -> None:
        if ended.reason == "refused":
            self.violate("the login was given up as refused, but every answer was pending")

    def complain_of_poll(self) -> None:
        self.violate(f"polled again after an answer that means {self.told}")

    def forget(self) -> None:
        self.told = ""

    def is_client(self, crashed: Crashed) -> bool:
        return crashed.process == "client"


class TransportRetried(Monitor):
    """A login fails as unreachable only after more transport errors than it may retry."""

    states = ("watching",)
    transitions = (
        {"trigger": TransportError, "source": "watching", "dest": None, "after": "count"},
        {"trigger": Presented, "source": "watching", "dest": None, "after": "forget"},
        {"trigger": Ended, "source": "watching", "dest": None, "before": "judge", "after": "forget"},
        {"trigger": Crashed, "source": "watching", "dest": None, "conditions": "is_client", "after": "forget"},
        {"trigger": Crashed, "source": "watching", "dest": None},
    )

    retries: int
    errors: int = 0

    def count(self) -> None:
        self.errors += 1

    def judge(self, ended: Ended) -> None:
        if ended.reason == "unreachable" and self.errors <= self.retries:
            self.violate(f"the login was given up after {self.errors} transport errors; {self.retries} are retried")

    def forget(self) -> None:
        self.errors = 0

    def is_client(self, crashed: Crashed) -> bool:
        return crashed.process == "client"


class CodeOnce(Monitor):
    """A code is presented at most once, and tokens are issued for it at most once."""

    states = ("watching",)
    transitions = (
        {"trigger": Presented, "source": "watching", "dest": None, "after": "note_presented"},
        {"trigger": Issued, "source": "watching", "dest": None, "after": "note_issued"},
    )

    presented: bool = False
    issued: bool = False

    def note_presented(self, presented: Presented) -> None:
        if self.presented:
            self.violate(f"code {presented.code} was presented twice")
        self.presented = True

    def note_issued(self, issued: Issued) -> None:
        if self.issued:
            self.violate(f"tokens were issued twice for code {issued.code}")
        self.issued = True


class WorkspaceAllowed(Monitor):
    """Nothing is ever stored for a workspace that is not allowed."""

    states = ("watching",)
    transitions = ({"trigger": Stored, "source": "watching", "dest": None, "after": "judge"},)

    options: ServerOptions

    def judge(self, stored: Stored) -> None:
        if not ensure_workspace_allowed(self.options, stored.credentials):
            forced = self.options.forced_chatgpt_workspace_id
            self.violate(f"stored for workspace {stored.credentials.workspace}, but {forced} is forced")


class OnlyForbiddenRemoved(Monitor):
    """Credentials are removed only where a restriction forbids them."""

    states = ("watching",)
    transitions = ({"trigger": Removed, "source": "watching", "dest": None, "after": "judge"},)

    options: ServerOptions

    def judge(self, removed: Removed) -> None:
        if is_login_allowed(self.options, removed.credentials):
            self.violate(f"stored {removed.credentials.kind} credentials were removed, which nothing forbids")


class ApiKeyFirst(Monitor):
    """Where CODEX_API_KEY is set and no other method is forced, it is what is used; if it may not be used, it is
    not."""

    states = ("watching",)
    transitions = ({"trigger": Authenticated, "source": "watching", "dest": None, "after": "judge"},)

    api_key: bool
    stored_key: bool
    options: ServerOptions

    def judge(self, used: Authenticated) -> None:
        forced = self.options.forced_login_method == "chatgpt"
        if used.by == "chatgpt" and self.api_key and not forced:
            self.violate(f"{used.client} used the stored login, although CODEX_API_KEY is set")
        if used.by == "api_key" and forced:
            self.violate(f"{used.client} used an API key, although a ChatGPT login is forced")
        if used.by == "api_key" and not self.api_key and not self.stored_key:
            self.violate(f"{used.client} used an API key that nobody gave it")


class SessionKept(Monitor):
    """A client that signs out is right: the valid refresh token is stored nowhere, and is never stored later."""

    states = ("watching",)
    transitions = (
        {"trigger": Issued, "source": "watching", "dest": None, "after": "note_issued"},
        {"trigger": Rotated, "source": "watching", "dest": None, "after": "note_rotated"},
        {"trigger": Stored, "source": "watching", "dest": None, "after": ["note_stored", "judge"]},
        {"trigger": Removed, "source": "watching", "dest": None, "after": "note_removed"},
        {"trigger": SignedOut, "source": "watching", "dest": None, "after": ["note_out", "judge"]},
    )

    good: int = 0
    """The generation of the refresh token that the server accepts."""
    stored: int = 0
    out: str = ""

    def note_issued(self) -> None:
        self.good = 1

    def note_rotated(self, rotated: Rotated) -> None:
        self.good = rotated.generation

    def note_stored(self, stored: Stored) -> None:
        self.stored = stored.credentials.generation

    def note_removed(self) -> None:
        self.stored = 0

    def note_out(self, signed_out: SignedOut) -> None:
        self.out = signed_out.client

    def judge(self) -> None:
        if self.out and self.stored == self.good:
            self.violate(f"{self.out} signed out, but the refresh token that is good ({self.good}) is stored")


class RotationKept(Monitor):
    """A client that took a rotated token, which no other client has, gets it stored; only a crash excuses it."""

    states = ("kept", "owing")
    hot = ("owing",)
    transitions = (
        {"trigger": Taken, "source": "kept", "dest": "owing", "after": "note"},
        {"trigger": Taken, "source": "owing", "dest": None, "after": "complain"},
        {"trigger": Stored, "source": "owing", "dest": "kept", "conditions": "is_newest", "after": "forget"},
        {"trigger": Stored, "source": "*", "dest": None},
        {"trigger": Crashed, "source": "owing", "dest": "kept", "conditions": "is_owner", "after": "forget"},
        {"trigger": Crashed, "source": "*", "dest": None},
    )

    client: str = ""
    generation: int = 0

    def note(self, taken: Taken) -> None:
        self.client, self.generation = taken.client, taken.generation

    def is_newest(self, stored: Stored) -> bool:
        return stored.credentials.generation >= self.generation

    def is_owner(self, crashed: Crashed) -> bool:
        return crashed.process == self.client

    def complain(self, taken: Taken) -> None:
        self.violate(f"{taken.client} took token {taken.generation} before token {self.generation} was stored")

    def forget(self) -> None:
        self.client, self.generation = "", 0
