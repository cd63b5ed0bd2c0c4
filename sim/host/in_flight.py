"""Messages that are in flight, as a machine is given them: the message, or the fault that comes of it."""

from __future__ import annotations

from typing import Any

from sim.base.errors import SimError, brief
from sim.base.values import Fault, Message
from sim.host.cast import Cast
from sim.host.journal_records import Mail
from sim.machine.outputs import Emit, Send


def message_of(cast: Cast, mail: Mail) -> Message:
    """The message itself."""
    message: Message = cast.codec.load(mail.message)
    return message


def struck(cast: Cast, mail: Mail, message: Message) -> Fault | None:
    """The fault that is given in its place, if one is."""
    if mail.fault is None:
        return None
    fault = cast.faults[mail.fault["kind"]]
    hint = {"reset_ms": mail.fault["reset_ms"]} if "reset_ms" in mail.fault else {}
    return fault(message=message, **hint)


def arrival(mail: Mail, fault: Fault | None) -> dict[str, Any]:
    """The input that it is, as a line of the trace has it."""
    inner = {name: value for name, value in mail.message.items() if name != "@"}
    arrival = {"from": mail.source, "message": mail.message["@"], "fields": inner}
    if fault is None:
        return {"deliver": arrival}
    hint = {"reset_ms": mail.fault["reset_ms"]} if "reset_ms" in mail.fault else {}
    return {"fault": fault.kind, **arrival, **hint}


def refused(cast: Cast, mail: Mail) -> str:
    """Why no other host may send this message here; empty if one may."""
    if mail.source not in cast.there or mail.target not in cast.machines:
        return f"nothing from {brief(mail.source)} to {brief(mail.target)} is taken over a link here"
    try:
        message = message_of(cast, mail)
        if not isinstance(message, Message):
            return f"{type(message).__name__} is not a message"
        struck(cast, mail, message)
    except SimError as error:
        return error.mistakes[0]
    except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
        return f"it cannot be read: {type(error).__name__}"
    return ""


def put_of(put: Send | Emit, dumped: dict[str, Any]) -> dict[str, Any]:
    """What was sent or emitted, as a line of the trace has it."""
    data = {name: value for name, value in dumped.items() if name != "@"}
    if isinstance(put, Send):
        return {"send": {"to": put.target, "message": dumped["@"], "fields": data}}
    return {"emit": {"name": dumped["@"], "fields": data}}
