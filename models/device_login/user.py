"""The user: sees the code, and grants access or denies it, or never gets to it."""

from __future__ import annotations

from sim import IGNORE, Process

from .messages import Approve, Deny, Open, Prompt, Welcome


class User(Process):
    """Decides at most once, in a browser. Pressing escape is a move of the client."""

    states = ("away", "asked", "decided")
    may = ("approve", "deny")
    transitions = (
        {"trigger": Prompt, "source": "away", "dest": "asked"},
        {"trigger": Prompt, "source": ["asked", "decided"], "dest": IGNORE},
        {"trigger": Welcome, "source": "*", "dest": None, "after": "open_others"},
        {"trigger": "approve", "source": "asked", "dest": "decided", "after": "let_in"},
        {"trigger": "deny", "source": "asked", "dest": "decided", "after": "keep_out"},
    )

    workspaces: tuple[str, ...]
    """The workspaces in which the user has an account."""

    others: tuple[str, ...] = ()
    """The clients that the user opens once there is a login to use."""

    def open_others(self) -> None:
        for other in self.others:
            self.send(other, Open())

    def let_in(self) -> None:
        self.send("server", Approve(self.choose(*self.workspaces)))

    def keep_out(self) -> None:
        self.send("server", Deny())
