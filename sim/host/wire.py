"""What hosts say to each other: frames of JSON, each after its length in four bytes.

    both           {"roundsim_link": 1, "journal": ..., "model": ...}       at first; who connects adds "opening" and "since"
    who connects   {"n", "after", "session", "source", "target", "message", "fault", "hashes", "texts", "cause", "sent_ms"}
    who listens    {"ack": n}     it is kept
                   {"not": n}     not yet: its session is not running here
                   {"no": "line", "n": n}    it is refused; without n everything is

What comes from outside is believed in nothing: a frame has a bound, before the greeting a small one, it has to arrive, and
each of its parts is of its kind, or `Garbled` says in a line what is wrong.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any

from sim.base.errors import brief
from sim.host.journal_records import Mail, digest_of
from sim.host.link import Parcel, Receipt, Sender

VERSION = 1
FRAME_MAX = 16 * 1024 * 1024
"""Bytes of a frame."""
GREETING_MAX = 4 * 1024
QUIET_S = 30.0
"""How long the other side may say nothing while something of it is awaited."""
GREETING_S = 10.0
"""How long a connection may take until both have greeted."""
_PIECE = 64 * 1024
_NUMBER_MAX = 2**63 - 1


class Garbled(OSError):
    """What the other side says is not what a host says."""


class Idle(TimeoutError):
    """No frame has begun in time."""


def frame_of(said: Mapping[str, Any]) -> bytes:
    """As bytes. Raises `ValueError` if it is too large for a link."""
    body = _text(said).encode()
    if len(body) > FRAME_MAX:
        raise ValueError(f"it has {len(body)} bytes with its payloads, a link takes {FRAME_MAX} at once")
    return len(body).to_bytes(4, "big") + body


async def read_frame(reader: asyncio.StreamReader, most: int, first_s: float | None) -> dict[str, Any] | None:
    """The next frame; None at the end. It has to begin within `first_s`, and then to go on. Raises `TimeoutError`,
    `Garbled`."""
    head = bytearray()
    while len(head) < 4:
        try:
            async with asyncio.timeout(QUIET_S if head else first_s):
                piece = await reader.read(4 - len(head))
        except TimeoutError:
            raise (TimeoutError if head else Idle)() from None
        if not piece and not head:
            return None
        head += _more(piece)
    size = int.from_bytes(head, "big")
    if size > most:
        raise Garbled(f"a frame of {size} bytes, where {most} are taken")
    body = bytearray()
    while len(body) < size:
        async with asyncio.timeout(QUIET_S):
            body += _more(await reader.read(min(_PIECE, size - len(body))))
    return _read(body)


def _more(piece: bytes) -> bytes:
    if not piece:
        raise Garbled("it ends within a frame")
    return piece


def _read(body: bytearray) -> dict[str, Any]:
    try:
        text = body.decode()
        said = json.loads(text, parse_constant=_no_number)
        if "\\ud" in text or "\\uD" in text:
            _text(said).encode()  # half of a character is no text
    except (ValueError, RecursionError):
        raise Garbled("a frame that is not JSON") from None
    if not isinstance(said, dict):
        raise Garbled("a frame that is not an object")
    return said


def _no_number(name: str) -> Any:
    raise ValueError(name)


_text: Callable[[Any], str] = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode


# --- greetings --------------------------------------------------------------------------------------


def greeting(journal: str, model: str) -> dict[str, Any]:
    """Of either side."""
    return {"roundsim_link": VERSION, "journal": journal, "model": model}


def greeting_of(sender: Sender) -> dict[str, Any]:
    """Of the one who connects."""
    return {**greeting(sender.journal, sender.model), "opening": sender.opening, "since": sender.since}


def greeted(said: Mapping[str, Any] | None) -> str:
    """The model of the one who greets. Raises `Garbled` for anything else."""
    if said is None:
        raise Garbled("it ends without a greeting")
    if "roundsim_link" not in said:
        raise Garbled("no greeting of a host")
    if (version := said["roundsim_link"]) != VERSION:
        raise Garbled(f"it speaks version {brief(str(version))} of links, here it is {VERSION}; use the same roundsim")
    return _word(said, "model")


def sender_of(said: Mapping[str, Any] | None) -> Sender:
    """Who connects."""
    model = greeted(said)
    assert said is not None
    return Sender(_word(said, "journal"), model, _word(said, "opening"), _number(said, "since"))


# --- messages and what becomes of them --------------------------------------------------------------


def parcel_frame(parcel: Parcel) -> bytes:
    mail = parcel.mail
    said: dict[str, Any] = {"n": mail.id, "after": parcel.after, "session": mail.session, "source": mail.source}
    said |= {"target": mail.target, "message": mail.message, "fault": mail.fault, "hashes": mail.texts}
    return frame_of({**said, "texts": dict(parcel.texts), "cause": mail.cause, "sent_ms": mail.sent_ms})


def parcel_of(said: Mapping[str, Any], sender: Sender) -> Parcel:
    """The message in this frame. Raises `Garbled`."""
    fault = said.get("fault")
    if fault is not None and not isinstance(fault, dict):
        raise _wrong("fault", fault)
    texts, hashes = said.get("texts"), said.get("hashes")
    if not isinstance(hashes, list) or not all(isinstance(one, str) for one in hashes):
        raise _wrong("hashes", hashes)
    if not isinstance(texts, dict) or {*texts} != {*hashes}:
        raise Garbled("a message whose payloads are not those that it names")
    for digest, text in texts.items():
        if not isinstance(text, str) or digest_of(text) != digest:
            raise Garbled(f"a payload that is not what {brief(digest)} stands for")
    number = _number(said, "n")
    words = (_word(said, name) for name in ("session", "source", "target"))
    session, source, target = words
    message, cause, sent_ms = _object(said, "message"), _word(said, "cause"), _number(said, "sent_ms")
    mail = Mail(number, session, source, target, message, fault, tuple(hashes), cause, sent_ms)
    return Parcel(sender, mail, _number(said, "after"), texts)


def receipt_frame(receipt: Receipt) -> bytes:
    if receipt.kept:
        return frame_of({"ack": receipt.id})
    return frame_of({"no": receipt.line, "n": receipt.id} if receipt.line else {"not": receipt.id})


def receipt_of(said: Mapping[str, Any] | None, number: int) -> Receipt:
    """What became of message `number`. Raises `Garbled` if it says nothing of that."""
    if said is None:
        raise ConnectionResetError("the connection was closed")
    if "no" in said and "n" not in said:
        raise ConnectionRefusedError(_word(said, "no"))
    found = next((key for key in ("ack", "not", "n") if key in said), "")
    if not found or _number(said, found) != number:
        raise Garbled(f"an answer to another message than {number}")
    return Receipt(number, found == "ack", _word(said, "no") if found == "n" else "")


def _word(said: Mapping[str, Any], name: str) -> str:
    word = said.get(name)
    if not isinstance(word, str):
        raise _wrong(name, word)
    if name in ("no", "model") and not word.isprintable():
        raise _wrong(name, word)
    return word


def _number(said: Mapping[str, Any], name: str) -> int:
    number = said.get(name)
    if type(number) is not int or not 0 <= number <= _NUMBER_MAX:
        raise _wrong(name, number)
    return number


def _object(said: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = said.get(name)
    if not isinstance(found, dict):
        raise _wrong(name, found)
    return found


def _wrong(name: str, found: object) -> Garbled:
    return Garbled(f"a frame with {name} {brief(str(found)[:80])}")
