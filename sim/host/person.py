"""A person: a question waits until somebody answers it, for as long as that takes, over any number of restarts.

Nobody is asked twice visibly: what waits is kept with the first call of the journal, and whoever lists the questions reads it
there. An answer comes as a wish in the journal (`sim answer ID TEXT`), also while no host runs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol, runtime_checkable

from sim.base.errors import ConfigError, listing
from sim.base.values import Value, show
from sim.host.adapter import Question, Reply
from sim.host.journal import SENT_BITS, Journal
from sim.host.wording import Parse, allowed, fields_of

WAITS = "waits"
"""The key of a call's outcome under which is kept what waits."""


@runtime_checkable
class Answered(Protocol):
    """An adapter whose answers come through the journal."""

    def waiting(self, question: Question) -> Mapping[str, Any]:
        """What is kept of a question while it waits. Called once for each question, the first time it is asked."""

    def told(self, key: str, text: str) -> bool:
        """Somebody answers the question of this key; False if it is not being asked now. Raises `ConfigError` for what is not
        an answer to it; the question goes on waiting."""


class Person:
    """Stands for a process that is a person. `parse` makes of a text an answer of the model's domain; by default the text is
    one of the answers. `notify` is told each new question, in one line."""

    def __init__(self, parse: Parse | None = None, notify: Callable[[str], None] | None = None) -> None:
        self._parse: Parse = parse or (lambda text: text)
        self._notify = notify
        self._asked: dict[str, tuple[Question, asyncio.Future[Reply]]] = {}

    async def ask(self, question: Question) -> Reply:
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._asked[question.key] = question, future
        try:
            return await future
        finally:
            self._asked.pop(question.key, None)

    async def close(self) -> None:
        for _, future in self._asked.values():
            future.cancel()

    def waiting(self, question: Question) -> dict[str, Any]:
        if self._notify is not None:
            name = question_id(int(question.key.rpartition("/")[2]))
            options = f" ({listing([*map(show, question.answers)])})" if question.answers else ""
            self._notify(f"{question.process} is asked {show(question.message)}{options}: sim answer {name} TEXT")
        return {
            "message": type(question.message).__name__,
            "fields": fields_of(question.message),
            "answers": [*map(show, question.answers)],
        }

    def told(self, key: str, text: str) -> bool:
        found = self._asked.get(key)
        if found is None or found[1].done():
            return False
        question, future = found
        future.set_result(Reply(self._answer(question, text), text=text))
        return True

    def _answer(self, question: Question, text: str) -> Value:
        if not question.answers:
            return None
        try:
            answer = allowed(self._parse(text), question.answers)
        except Exception as error:  # whatever it is, the person may say it in other words
            raise ConfigError(f"{text!r} cannot be read: {type(error).__name__}: {error}") from None
        if answer is None:
            raise ConfigError(f"{text!r} is not an answer; expected {listing([*map(show, question.answers)])}")
        return answer[0]


# --- what waits, from the journal alone -----------------------------------------------------------------


class Waiting(NamedTuple):
    """A question that waits for a person."""

    id: str
    """By which it is answered."""
    session: str
    process: str
    message: str
    fields: Mapping[str, Any]
    answers: tuple[str, ...]
    """What may be answered; empty if anything may."""
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


def waiting_in(journal: Journal, session: str) -> list[Waiting]:
    """What waits for a person in a session, the oldest first. No host has to run."""
    here = {mail.id for mail in journal.mail(session)}
    found = []
    for mail, process, began_ms, ended_ms, _, outcome in journal.calls(session):
        what = outcome.get(WAITS)
        if ended_ms is None and what is not None and mail in here:
            answers = tuple(what["answers"])
            found.append(
                Waiting(question_id(mail), session, process, what["message"], what["fields"], answers, began_ms)
            )
    return found


def answer(journal: Journal, name: str, text: str) -> Waiting:
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
