"""A model of which everything is more than a page may show at once: machines, fields, messages in flight, rejections, rows."""

from __future__ import annotations

from sim import Message, Process, System
from sim.machine.ledgers import Rejected

MANY = 40
FIELDS = [f"field_{n}" for n in range(MANY)]


class Shout(Message):
    number: int


class Shouter(Process):
    """Shouts at everybody now and then, and is told that it is not wanted."""

    states = ("calm", "loud", *(f"never_{n}" for n in range(60)))
    may = ("shout",)
    transitions = (
        {"trigger": "shout", "source": "calm", "dest": "loud", "conditions": "may_go_on", "after": "everybody"},
        {"trigger": "shout", "source": "loud", "dest": "calm", "conditions": "may_go_on", "after": "note"},
        {"trigger": Shout, "source": ["calm", "loud"], "dest": None, "after": "refuse"},
        *({"trigger": Shout, "source": f"never_{n}", "dest": f"never_{(n + 1) % 60}"} for n in range(60)),
    )
    times: int = 0
    __annotations__ |= dict.fromkeys(FIELDS, "int")
    vars().update(dict.fromkeys(FIELDS, 0))

    def may_go_on(self) -> bool:
        return self.times < 10_000

    def everybody(self) -> None:
        self.note()
        if self.times < 40:
            for n in range(MANY):
                self.send(f"p{n}", Shout(self.times))

    def note(self) -> None:
        self.times += 1
        for name in FIELDS[:20]:
            setattr(self, name, self.times)

    def refuse(self, shout: Shout) -> None:
        self.emit(Rejected(f"{shout.number}", "unwanted"))


def system() -> System:
    return System({f"p{n}": Shouter() for n in range(MANY)})
