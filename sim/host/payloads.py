"""Which payloads a message brings, and which go on with what its taker sends."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields

from sim.base.values import Message
from sim.host.adapter import Text
from sim.host.cast import Cast
from sim.host.journal import Journal
from sim.host.journal_records import Mail
from sim.machine.ledgers import Rejected
from sim.machine.outputs import Emit, Send


def carried(
    cast: Cast,
    journal: Journal,
    session: str,
    process: str,
    message: Message,
    mail: Mail | None,
    puts: Iterable[Send | Emit],
) -> tuple[str, ...]:
    """The payloads that a message brings on (see `sim.host.cast.Carries`): those that its sender took before, and those
    of the `mail` that it takes now."""
    kinds = cast.carries.get(type(message).__name__, ())
    if not kinds:
        return ()
    mine = {field.name: cast.codec.dump(getattr(message, field.name)) for field in fields(message)}
    taken = journal.taken(session, process)
    if mail is not None and not rejects(puts):
        taken += [(mail.message, digest) for digest in mail.texts]
    found = []
    for said, digest in taken:
        shared = [name for name in mine if name in said]
        if said["@"] in kinds and shared and all(mine[name] == said[name] for name in shared):
            found.append(digest)
    return tuple(dict.fromkeys(found))


def texts_of(cast: Cast, journal: Journal, mail: Mail, texts: Mapping[str, str]) -> tuple[Text, ...]:
    """The payloads of a message, each with the message in which it was said, where that was taken here."""
    known = {digest: said for said, digest in journal.taken(mail.session, mail.source)} if texts else {}
    load = cast.codec.load
    return tuple(
        Text(load(known.get(digest, mail.message)), texts[digest], digest) for digest in mail.texts if digest in texts
    )


def rejects(puts: Iterable[Send | Emit]) -> bool:
    """Whether an input was rejected."""
    return any(isinstance(put, Emit) and isinstance(put.emission, Rejected) for put in puts)
