"""A person: a question waits until somebody answers it, for as long as that takes, over any number of restarts.

Nobody is asked twice visibly. What waits is kept with the first call of the journal, and whoever lists the questions reads it
there. A machine that asks again in the same words, as one does that has restarted, means the same question: one is listed,
and its answer is that of all. Where the model leaves no choice (it knows the answer already), nobody is asked at all. An answer
comes as a wish in the journal (`sim answer ID TEXT`), also while no host runs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol, runtime_checkable

from sim.base.errors import ConfigError, listing
from sim.base.values import Value, show
from sim.host.adapter import Question, Reply
from sim.host.journal import Journal
from sim.host.journal_records import SENT_BITS
from sim.host.wording import Parse, allowed, fields_of, word

WAITS = "waits"
"""The key of a call's outcome under which is kept what waits."""


@runtime_checkable
class Answered(Protocol):
    """An adapter whose answers come through the journal."""

    def waiting(self, question: Question) -> Mapping[str, Any] | None:
        """What is kept of a question while it waits; None if it will not. Called once for each, the first time it is asked."""

    def told(self, key: str, text: str) -> bool:
        """Somebody answers the question of this key; False if it is not being asked now. Raises `ConfigError` for what is not
        an answer to it; the question goes on waiting."""


class Person:
    """Stands for a process that is a person. `parse` makes of a text an answer of the model's domain; by default the text is
    one of the answers. `notify` is told each new question, in one line."""

    def __init__(self, parse: Parse | None = None, notify: Callable[[str], None] | None = None) -> None:
        self._parse: Parse = parse or _as_said
        self._notify = notify
        self._asked: dict[str, tuple[Question, asyncio.Future[Reply]]] = {}

    async def ask(self, question: Question) -> Reply:
        if not question.answers:
            return Reply()
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._asked[question.key] = question, future
        try:
            return await future
        finally:
            self._asked.pop(question.key, None)

    async def close(self) -> None:
        for _, future in self._asked.values():
            future.cancel()

    def waiting(self, question: Question) -> dict[str, Any] | None:
        if not question.answers:
            return None
        if self._notify is not None and not any(_is_same(question, one) for one, _ in self._asked.values()):
            name = question_id(int(question.key.rpartition("/")[2]))
            options = listing([*map(word, question.answers)])
            self._notify(f"{question.process} is asked {show(question.message)} ({options}): sim answer {name} TEXT")
        return {
            "sender": question.sender,
            "message": type(question.message).__name__,
            "fields": fields_of(question.message),
            "answers": [*map(word, question.answers)] if self._parse is _as_said else [],
        }

    def told(self, key: str, text: str) -> bool:
        found = self._asked.get(key)
        if found is None or found[1].done():
            return False
        reply = Reply(self._answer(found[0], text), text=text)
        for question, future in self._asked.values():
            if _is_same(question, found[0]) and not future.done():
                future.set_result(reply)
        return True

    def _answer(self, question: Question, text: str) -> Value:
        try:
            answer = allowed(self._parse(text), question.answers)
        except Exception as error:  # whatever it is, the person may say it in other words
            raise ConfigError(f"{text!r} cannot be read: {type(error).__name__}: {error}") from None
        if answer is None:
            raise ConfigError(f"{text!r} is not an answer; expected {listing([*map(word, question.answers)])}")
        return answer[0]


def _as_said(text: str) -> str:
    return text


def _is_same(one: Question, other: Question) -> bool:
    """Whether they are the same to a person, in whatever messages they have come."""
    return (one.session, one.process, one.sender, one.message) == (
        other.session,
        other.process,
        other.sender,
        other.message,
    )


# --- what waits, from the journal alone -----------------------------------------------------------------


class WaitingQuestion(NamedTuple):
    """A question that waits for a person."""

    id: str
    """By which it is answered."""
    session: str
    process: str
    sender: str
    message: str
    fields: Mapping[str, Any]
    answers: tuple[str, ...]
    """What may be answered; empty if people may say it in their own words."""
    since_ms: int
    """In milliseconds since 1970."""


def question_id(mail: int) -> str:
    """What a question is called by people: the line of the trace in which it was sent, and which of that line it is."""
    line, number = mail >> SENT_BITS, mail & ((1 << SENT_BITS) - 1)
    return f"{line}.{number}" if number else str(line)


def mail_of(name: str) -> int:
    """The number of the message that a question asks about. Raises `ConfigError`."""
    line, dot, number = name.partition(".")
    digits = (line, number) if dot else (line,)
    if not all(one.isascii() and one.isdecimal() and len(one) < 15 for one in digits) or int(number or 0) >> SENT_BITS:
        raise ConfigError(f"{name!r} is not the id of a question; expected one such as 12 or 12.1")
    return int(line) << SENT_BITS | int(number or 0)


def waiting_in(journal: Journal, session: str) -> list[WaitingQuestion]:
    """What waits for a person in a session, the oldest first. No host has to run."""
    here = {mail.id for mail in journal.mail(session)}
    found: list[WaitingQuestion] = []
    for mail, process, began_ms, ended_ms, _, outcome in journal.calls(session):
        what = outcome.get(WAITS)
        if ended_ms is not None or what is None or mail not in here:
            continue
        said = (process, what["sender"], what["message"], what["fields"])
        if not any((one.process, one.sender, one.message, one.fields) == said for one in found):
            found.append(WaitingQuestion(question_id(mail), session, *said, tuple(what["answers"]), began_ms))
    return found


def answer(journal: Journal, name: str, text: str) -> WaitingQuestion:
    """Leave an answer to a question for whoever hosts the journal, now or later. Raises `ConfigError` if nobody asks it."""
    mail = mail_of(name)
    waiting = [one for session in journal.sessions() for one in waiting_in(journal, session)]
    for one in waiting:
        if mail_of(one.id) == mail:
            journal.wish(one.session, "answer", mail=mail, text=text)
            return one
    known = listing([one.id for one in waiting])
    raise ConfigError(
        f"question {name} does not wait for an answer; " + (f"expected {known}" if waiting else "none does")
    )
