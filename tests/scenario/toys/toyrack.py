"""Two processes on one rack and a client: what crashes together, for good, is updated and written together."""

from __future__ import annotations

from sim import Message, Process, System, cut


class Put(Message):
    key: int


class Copy(Message):
    key: int


class Done(Message):
    key: int


class Front(Process):
    states = ("open",)
    durable = ("kept", "seen")
    transitions = (
        {"trigger": Put, "source": "open", "dest": None, "after": "keep"},
        {"trigger": Copy, "source": "open", "dest": None, "after": "finish"},
    )

    kept: frozenset[int] = frozenset()
    seen: int = 0

    def on_restart(self) -> None:
        self.seen = 0

    def keep(self, put: Put) -> None:
        self.write(kept=self.kept | {put.key}, seen=min(self.seen + 1, 3), then=[("back", Copy(put.key))])

    def finish(self, copy: Copy) -> None:
        self.send("client", Done(copy.key))


class NewFront(Front):
    states = Front.states
    durable = (*Front.durable, "done")
    must = ("sweep",)
    transitions = (
        *Front.transitions,
        {"trigger": "sweep", "source": "open", "dest": None, "unless": "done", "after": "sweep_all"},
    )

    done: bool = False

    def sweep_all(self) -> None:
        self.done = True


class Back(Process):
    states = ("open",)
    durable = ("copies",)
    transitions = ({"trigger": Copy, "source": "open", "dest": None, "after": "copy"},)
    copies: frozenset[int] = frozenset()

    def copy(self, copy: Copy) -> None:
        self.write(copies=self.copies | {copy.key}, then=[("front", Copy(copy.key))])


class Client(Process):
    states = ("waiting",)
    transitions = ({"trigger": Done, "source": "waiting", "dest": None},)

    def on_start(self) -> None:
        self.send("front", Put(1))
        self.send("front", Put(2))


def system() -> System:
    return System(
        {"front": Front(), "back": Back(), "client": Client()},
        machines={"rack": ("front", "back")},
        updates={"front": NewFront()},
        cuts={"line": cut({"client"})},
    )
