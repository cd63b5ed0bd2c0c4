"""Overtaken: a room is cancelled before its reservation comes, and then reserved."""

from __future__ import annotations

from sim import IGNORE, Message, Process, System, always, sometimes


class Reserve(Message):
    pass


class Reserved(Message):
    pass


class Cancel(Message):
    pass


class Cancelled(Message):
    pass


class Hotel(Process):
    """A reservation that was cancelled before it came is not made any more."""

    states = ("free", "reserved", "cancelled")
    transitions = (
        {"trigger": Reserve, "source": "free", "dest": "reserved", "after": "confirm"},
        {"trigger": Reserve, "source": "cancelled", "dest": IGNORE},
        {"trigger": Cancel, "source": "*", "dest": "cancelled", "after": "confirm_cancel"},
    )

    def confirm(self) -> None:
        self.send(self.sender, Reserved())

    def confirm_cancel(self) -> None:
        self.send(self.sender, Cancelled())


class ForgetfulHotel(Hotel):
    """There is nothing to cancel, so there is nothing to remember."""

    transitions = (
        {"trigger": Cancel, "source": "free", "dest": None, "after": "confirm_cancel"},
        *Hotel.transitions,
    )


class Trip(Process):
    """Waits for the room for a while, then calls the trip off."""

    states = ("waiting", "booked", "cancelling", "cancelled")
    hot = ("waiting", "cancelling")
    timers = ("patience",)
    transitions = (
        {"trigger": Reserved, "source": "waiting", "dest": "booked"},
        {"trigger": Reserved, "source": ["cancelling", "cancelled"], "dest": IGNORE},
        {"trigger": "patience", "source": "waiting", "dest": "cancelling", "after": "cancel_room"},
        {"trigger": "patience", "source": "booked", "dest": IGNORE},
        {"trigger": Cancelled, "source": "cancelling", "dest": "cancelled"},
    )

    def on_start(self) -> None:
        self.send("hotel", Reserve())
        self.arm("patience", 5_000)

    def cancel_room(self) -> None:
        self.send("hotel", Cancel())


def system(planted: bool = True) -> System:
    return System(
        {"trip": Trip(), "hotel": ForgetfulHotel() if planted else Hotel()},
        properties=(
            always(
                "no room for a cancelled trip",
                lambda trip, hotel: not (trip.state == "cancelled" and hotel.state == "reserved"),
            ),
            sometimes("the trip is booked", lambda trip: trip.state == "booked"),
        ),
    )
