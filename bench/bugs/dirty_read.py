"""Dirty read: somebody is told what a transaction has written, and then the transaction aborts."""

from __future__ import annotations

from sim import Message, Process, System, always, sometimes


class Put(Message):
    value: int


class PutOk(Message):
    pass


class Commit(Message):
    pass


class Abort(Message):
    pass


class Get(Message):
    pass


class Got(Message):
    value: int


class Store(Process):
    """Answers with what is committed."""

    states = ("open",)
    transitions = (
        {"trigger": Put, "source": "open", "dest": None, "after": "note"},
        {"trigger": Commit, "source": "open", "dest": None, "after": "commit"},
        {"trigger": Abort, "source": "open", "dest": None, "after": "abort"},
        {"trigger": Get, "source": "open", "dest": None, "after": "answer"},
    )

    committed: int = 0
    pending: int = 0

    def note(self, put: Put) -> None:
        self.pending = put.value
        self.send(self.sender, PutOk())

    def commit(self) -> None:
        self.committed = self.pending

    def abort(self) -> None:
        self.pending = self.committed

    def answer(self) -> None:
        self.send(self.sender, Got(self.committed))


class HastyStore(Store):
    """Answers with what was written last."""

    def answer(self) -> None:
        self.send(self.sender, Got(self.pending))


class Writer(Process):
    """Writes, and then thinks better of it, or not."""

    states = ("writing", "thinking", "committed", "aborted")
    hot = ("writing", "thinking")
    must = ("commit", "abort")
    transitions = (
        {"trigger": PutOk, "source": "writing", "dest": "thinking"},
        {"trigger": "commit", "source": "thinking", "dest": "committed", "after": "tell"},
        {"trigger": "abort", "source": "thinking", "dest": "aborted", "after": "tell"},
    )

    def on_start(self) -> None:
        self.send("store", Put(7))

    def tell(self) -> None:
        self.send("store", Commit() if self.state == "committed" else Abort())


class Reader(Process):
    states = ("reading", "done")
    hot = ("reading",)
    transitions = ({"trigger": Got, "source": "reading", "dest": "done", "after": "note"},)

    got: int = 0

    def on_start(self) -> None:
        self.send("store", Get())

    def note(self, got: Got) -> None:
        self.got = got.value


def system(planted: bool = True) -> System:
    return System(
        {"store": HastyStore() if planted else Store(), "writer": Writer(), "reader": Reader()},
        properties=(
            always(
                "nobody reads what is aborted", lambda reader, writer: not (reader.got and writer.state == "aborted")
            ),
            sometimes(
                "what is committed is read", lambda reader, writer: reader.got == 7 and writer.state == "committed"
            ),
        ),
    )
