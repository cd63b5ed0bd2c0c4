"""Two machines that talk forever: runs of any length, for what is to be seen of long ones."""

from __future__ import annotations

from sim import Emission, Message, Process, System


class Ball(Message):
    number: int


class Hit(Emission):
    number: int


class Player(Process):
    """Hits each ball back; now and then it calls out."""

    states = ("waiting", "winded")
    timers = ("breath",)
    transitions = (
        {"trigger": Ball, "source": "waiting", "dest": "waiting", "unless": "is_tired", "after": "hit"},
        {"trigger": Ball, "source": "waiting", "dest": "winded", "after": "hit"},
        {"trigger": Ball, "source": "winded", "dest": None, "after": "hit"},
        {"trigger": "breath", "source": ["waiting", "winded"], "dest": "waiting"},
    )

    other: str
    first: bool = False

    def on_start(self) -> None:
        if self.first:
            self.send(self.other, Ball(0))

    def is_tired(self, ball: Ball) -> bool:
        return ball.number % 10 == 9

    def hit(self, ball: Ball) -> None:
        if ball.number % 25 == 0:
            self.emit(Hit(ball.number))
        if self.is_tired(ball):
            self.arm("breath", 30)
        self.send(self.other, Ball((ball.number + 1) % 100))


def system(pairs: int = 3) -> System:
    """`pairs` of players; they never come to rest."""
    players = {}
    for number in range(1, pairs + 1):
        players[f"left{number}"] = Player(other=f"right{number}", first=True)
        players[f"right{number}"] = Player(other=f"left{number}")
    return System(players)
