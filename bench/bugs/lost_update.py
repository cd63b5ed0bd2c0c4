"""Lost update: two clients each add one to the number they read, and one addition overwrites the other."""

from __future__ import annotations

from sim import Message, Process, System, View, always, sometimes


class Read(Message):
    pass


class Number(Message):
    value: int
    version: int


class Write(Message):
    value: int
    version: int


class Written(Message):
    pass


class Refused(Message):
    pass


class Register(Process):
    """Takes a value only from who has read the present one."""

    states = ("open",)
    transitions = (
        {"trigger": Read, "source": "open", "dest": None, "after": "answer"},
        {"trigger": Write, "source": "open", "dest": None, "conditions": "is_current", "after": "store"},
        {"trigger": Write, "source": "open", "dest": None, "after": "refuse"},
    )

    value: int = 0
    version: int = 0

    def is_current(self, write: Write) -> bool:
        return write.version == self.version

    def answer(self) -> None:
        self.send(self.sender, Number(self.value, self.version))

    def store(self, write: Write) -> None:
        self.value = write.value
        self.version += 1
        self.send(self.sender, Written())

    def refuse(self) -> None:
        self.send(self.sender, Refused())


class LastWriterWins(Register):
    """Takes every value."""

    def is_current(self, write: Write) -> bool:
        return True


class Client(Process):
    """Adds one, from the beginning again if somebody else was faster."""

    states = ("reading", "writing", "done")
    hot = ("reading", "writing")
    transitions = (
        {"trigger": Number, "source": "reading", "dest": "writing", "after": "add"},
        {"trigger": Written, "source": "writing", "dest": "done"},
        {"trigger": Refused, "source": "writing", "dest": "reading", "after": "read"},
    )

    def on_start(self) -> None:
        self.read()

    def read(self) -> None:
        self.send("register", Read())

    def add(self, number: Number) -> None:
        self.send("register", Write(number.value + 1, number.version))


def both_done(ann: View, bob: View) -> bool:
    return ann.state == bob.state == "done"


def system(planted: bool = True) -> System:
    return System(
        {"register": LastWriterWins() if planted else Register(), "ann": Client(), "bob": Client()},
        properties=(
            always("no addition is lost", lambda register, ann, bob: not both_done(ann, bob) or register.value == 2),
            sometimes("both are done", both_done),
        ),
    )
