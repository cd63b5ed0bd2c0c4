"""A client that uses what is stored, and rotates the refresh token when it is due."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from sim import IGNORE, Disconnect, Message, Process

from .messages import (
    Authenticated,
    Claim,
    Claimed,
    ConnectionLost,
    Credentials,
    Delete,
    Deleted,
    Load,
    Loaded,
    Open,
    Refresh,
    Refreshed,
    RefreshRefused,
    Release,
    Reopened,
    Save,
    Saved,
    SignedOut,
    StoreFailed,
    Taken,
)
from .options import Profile, ServerOptions, is_login_allowed

REREADS = 4
"""Attempts at adopting a rotated token, in the profile that retries."""


class Session(Process):
    """Refreshes under a claim: reads, claims, looks again, and only then asks for the next token.

    A client that finds that another one was faster adopts its token. No timer ever abandons a refresh: the answer holds
    the only copy of the new token, so it waits until the transport reports the outcome.
    """

    states: ClassVar[Sequence[str]] = (
        "idle",
        "reading",
        "claiming",
        "refreshing",
        "saving",
        "rereading",
        "leaving",
        "signed_out",
    )
    hot: ClassVar[Sequence[str]] = ("reading", "claiming", "refreshing", "saving", "rereading", "leaving")
    may: ClassVar[Sequence[str]] = ("use",)
    durable: ClassVar[Sequence[str]] = ("uses", "life")
    transitions = (
        # What an earlier life asked for.
        *(
            {"trigger": answer, "source": "*", "dest": IGNORE, "conditions": "is_of_an_earlier_life"}
            for answer in (Loaded, Saved, Deleted, Claimed, StoreFailed, Refreshed, RefreshRefused, ConnectionLost)
        ),
        # A key in the environment takes precedence.
        {"trigger": "use", "source": "idle", "dest": None, "conditions": ["may_use", "has_key"], "after": "use_key"},
        {
            "trigger": "use",
            "source": "idle",
            "dest": "leaving",
            "conditions": ["may_use", "has_forbidden_key"],
            "after": ["count_use", "ask"],
        },
        {
            "trigger": "use",
            "source": "idle",
            "dest": "reading",
            "conditions": "may_use",
            "after": ["count_use", "ask"],
        },
        {"trigger": Loaded, "source": "reading", "dest": "idle", "unless": "finds_something"},
        {"trigger": Loaded, "source": "reading", "dest": "leaving", "unless": "is_allowed", "after": "ask"},
        {"trigger": Loaded, "source": "reading", "dest": "idle", "conditions": "is_key", "after": "use_stored_key"},
        {
            "trigger": Loaded,
            "source": "reading",
            "dest": "claiming",
            "conditions": "takes_turns",
            "before": "hold",
            "after": "ask",
        },
        {"trigger": Loaded, "source": "reading", "dest": "refreshing", "before": "hold", "after": "ask"},
        # The client with the claim looks again: another one may have been faster.
        {"trigger": Claimed, "source": "claiming", "dest": "refreshing", "conditions": "is_unchanged", "after": "ask"},
        {"trigger": Claimed, "source": "claiming", "dest": "idle", "conditions": "finds_something", "after": "adopt"},
        {"trigger": Claimed, "source": "claiming", "dest": "idle", "after": "let_go"},
        # The refresh.
        {
            "trigger": Refreshed,
            "source": "refreshing",
            "dest": "saving",
            "conditions": "is_answer",
            "before": "take",
            "after": "ask",
        },
        {
            "trigger": RefreshRefused,
            "source": "refreshing",
            "dest": "signed_out",
            "conditions": ["is_answer", "takes_it_as_final"],
            "after": "sign_out",
        },
        {
            "trigger": RefreshRefused,
            "source": "refreshing",
            "dest": "rereading",
            "conditions": "is_answer",
            "after": "ask",
        },
        {"trigger": Disconnect, "source": "refreshing", "dest": None, "conditions": "breaks_request", "after": "ask"},
        {
            "trigger": ConnectionLost,
            "source": "refreshing",
            "dest": None,
            "conditions": "is_about_request",
            "after": "ask",
        },
        {"trigger": Saved, "source": "saving", "dest": "idle", "after": "finish"},
        {"trigger": Loaded, "source": "rereading", "dest": "idle", "conditions": "finds_newer", "after": "adopt"},
        {
            "trigger": Loaded,
            "source": "rereading",
            "dest": "refreshing",
            "conditions": "may_try_again",
            "after": ["count_reread", "ask"],
        },
        {"trigger": Loaded, "source": "rereading", "dest": "signed_out", "after": "sign_out"},
        {"trigger": Deleted, "source": "leaving", "dest": "idle"},
        {
            "trigger": StoreFailed,
            "source": "saving",
            "dest": "idle",
            "conditions": "drops_unsaved",
            "after": "let_go",
        },
        # The store was interrupted, or its keyring does not answer: requests may be repeated.
        *(
            {
                "trigger": again,
                "source": ["reading", "claiming", "saving", "rereading", "leaving"],
                "dest": None,
                "after": "ask",
            }
            for again in (StoreFailed, Reopened)
        ),
        {"trigger": Reopened, "source": ["idle", "signed_out"], "dest": None, "after": "release"},
        # Answers that come twice, because their request was repeated or the network duplicated them.
        *(
            {"trigger": answer, "source": "*", "dest": IGNORE}
            for answer in (
                Loaded,
                Saved,
                Deleted,
                Claimed,
                StoreFailed,
                Reopened,
                Refreshed,
                RefreshRefused,
                ConnectionLost,
            )
        ),
    )

    options: ServerOptions
    profile: Profile
    uses: int
    """How often it may still be used."""
    api_key: bool = False
    """Whether CODEX_API_KEY is set."""
    life: int = 0
    held: Credentials | None = None
    """Being used, and rotated."""
    rereads: int = 0

    def on_restart(self) -> None:
        """The operating system releases what a dead process holds; here its next life does."""
        self.life += 1
        self.release()

    def ask(self) -> None:
        """Send the request that the state waits for, possibly again."""
        target, message = self.request()
        self.send(target, message)

    def request(self) -> tuple[str, Message]:
        """The request of each waiting state."""
        held = self.held or Credentials("chatgpt")
        if self.state == "refreshing":
            return "server", Refresh(held.generation, self.life)
        if self.state in ("saving", "storing"):
            return "store", Save(held, self.life)
        if self.state == "claiming":
            return "store", Claim(self.life)
        return "store", Delete(self.life) if self.state == "leaving" else Load(self.life)

    def is_of_an_earlier_life(self, answer: Any) -> bool:
        return bool(answer.life != self.life)

    def is_about_request(self, lost: ConnectionLost) -> bool:
        return lost.about == type(self.request()[1]).__name__

    # --- using what there is ------------------------------------------------------------------------

    def may_use(self) -> bool:
        return self.uses > 0

    def count_use(self) -> None:
        self.uses -= 1

    def has_key(self) -> bool:
        """A key in the environment, unless another method is forced."""
        forbidden = self.options.forced_login_method == "chatgpt"
        return self.api_key and not forbidden and not self.profile.ignore_api_key

    def has_forbidden_key(self) -> bool:
        """Ours leaves a key that it may not use alone, and the stored login too."""
        return self.api_key and self.options.forced_login_method == "chatgpt" and self.profile.key_deletes_login

    def use_key(self) -> None:
        self.count_use()
        self.emit(Authenticated(self.name, "api_key"))

    def finds_something(self, answer: Loaded | Claimed) -> bool:
        return answer.credentials is not None

    def is_allowed(self, loaded: Loaded) -> bool:
        return loaded.credentials is not None and is_login_allowed(self.options, loaded.credentials)

    def is_key(self, loaded: Loaded) -> bool:
        return loaded.credentials is not None and loaded.credentials.kind == "api_key"

    def use_stored_key(self) -> None:
        self.emit(Authenticated(self.name, "api_key"))

    def takes_turns(self) -> bool:
        return self.profile.rotation == "locked"

    def hold(self, loaded: Loaded) -> None:
        self.held = loaded.credentials

    # --- the refresh --------------------------------------------------------------------------------

    def is_unchanged(self, claimed: Claimed) -> bool:
        return claimed.credentials == self.held

    def is_answer(self, answer: Refreshed | RefreshRefused) -> bool:
        return self.held is not None and answer.generation == self.held.generation

    def breaks_request(self, fault: Disconnect) -> bool:
        answer = fault.message
        return isinstance(answer, Refreshed | RefreshRefused) and answer.life == self.life and self.is_answer(answer)

    def take(self, refreshed: Refreshed) -> None:
        self.emit(Taken(self.name, refreshed.credentials.generation))
        self.held = refreshed.credentials

    def drops_unsaved(self) -> bool:
        return self.profile.drop_unsaved

    def takes_it_as_final(self) -> bool:
        return self.profile.rotation == "permanent"

    def finds_newer(self, loaded: Loaded) -> bool:
        held = self.held.generation if self.held else 0
        return loaded.credentials is not None and loaded.credentials.generation > held

    def may_try_again(self) -> bool:
        return self.profile.rotation == "retries" and self.rereads < REREADS - 1

    def count_reread(self) -> None:
        self.rereads += 1

    def adopt(self, answer: Loaded | Claimed) -> None:
        self.held = answer.credentials
        self.finish()

    def finish(self) -> None:
        self.emit(Authenticated(self.name, "chatgpt"))
        self.let_go()

    def sign_out(self) -> None:
        """Under the claim no other client can be about to store a newer token: none exists."""
        self.emit(SignedOut(self.name))
        self.let_go()

    def let_go(self) -> None:
        self.held = None
        self.rereads = 0
        self.release()

    def release(self) -> None:
        if self.takes_turns():
            self.send("store", Release())


class LaterClient(Session):
    """A client that the user opens once there is a login to use."""

    durable = (*Session.durable, "opened")
    transitions = ({"trigger": Open, "source": "*", "dest": None, "after": "open"}, *Session.transitions)

    opened: bool

    def open(self) -> None:
        self.opened = True

    def may_use(self) -> bool:
        return self.opened and super().may_use()
