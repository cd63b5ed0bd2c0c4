"""An artifact: what a decision says and the texts that it rests on, written exactly once by the key of the decision.

A store adapter stands for the process that stores artifacts. It is asked to as often as the model asks, also after a crash;
the first time it writes, later it finds the same. Another content under the same key is a mistake that it refuses loudly: two
decisions would have one name.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import quote

from sim.base.errors import SimError, failure, listing
from sim.base.values import Message
from sim.host.adapter import AdapterError, Question, Reply
from sim.host.wording import fields_of, word

KEY_FIELDS = ("run", "seq")
"""By which a decision is known within its session, unless somebody says otherwise."""

Key: TypeAlias = Callable[[Message], Any] | Sequence[str]
"""What a decision is known by: a function of the message, or names of its fields."""


@dataclass(frozen=True)
class Artifact:
    """What is written. Two are the same if their `content` is."""

    key: str
    session: str
    sender: str
    message: str
    fields: dict[str, Any]
    texts: tuple[dict[str, Any], ...]
    """For each payload its `hash`, the `message` in which it was said with its `fields`, which say by whom, and the `text`."""

    @property
    def content(self) -> str:
        """All of it, as JSON."""
        told = {name: getattr(self, name) for name in ("key", "session", "sender", "message", "fields", "texts")}
        return json.dumps(told, ensure_ascii=False, indent=1)

    @property
    def digest(self) -> str:
        """The hash of the content."""
        return digest_of_bytes(written(self.content))

    @property
    def name(self) -> str:
        """A file name that is its own: what people can read of the key, and a hash of all of it."""
        plain = "".join(one if one.isascii() and (one.isalnum() or one in "_-") else "-" for one in self.key)
        return f"{plain[:80]}-{digest_of_bytes(written(self.key))[:12]}"


def written(text: str) -> bytes:
    """As bytes; half of a surrogate pair, which no file takes, as its escape."""
    return text.encode("utf-8", "backslashreplace")


def digest_of_bytes(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class ArtifactKeeper:
    """What store adapters share: an artifact is made of the question, and written in a thread of its own."""

    costs = False

    def __init__(self, key: Key = KEY_FIELDS) -> None:
        self._key = key
        self._one_at_a_time = asyncio.Lock()

    async def ask(self, question: Question) -> Reply:
        artifact = self._artifact(question)
        try:
            async with self._one_at_a_time:
                await asyncio.to_thread(self.write, artifact)
        except SimError as error:
            raise AdapterError(f"{question.process}: {error.mistakes[0]}") from None
        return Reply(question.answers[0] if question.answers else None)

    async def close(self) -> None:
        pass

    def write(self, artifact: Artifact) -> None:
        """Write it, on the disk when this returns, or find it written. Raises `SimError` if it cannot be written, or if
        something else is."""
        raise NotImplementedError

    def _artifact(self, question: Question) -> Artifact:
        texts = [
            {
                "hash": one.hash,
                "message": type(one.message).__name__,
                "fields": fields_of(one.message),
                "text": one.text,
            }
            for one in question.texts
        ]
        texts.sort(key=lambda one: (json.dumps(one["fields"], sort_keys=True), one["hash"]))
        return Artifact(
            f"{_part(question.session)}/{self._key_of(question)}",
            question.session,
            question.sender,
            type(question.message).__name__,
            fields_of(question.message),
            tuple(texts),
        )

    def _key_of(self, question: Question) -> str:
        message = question.message
        if callable(self._key):
            try:
                return str(self._key(message))
            except Exception as error:
                raise AdapterError(f"{question.process}: its key cannot be made: {failure(error)}") from None
        missing = [name for name in self._key if not hasattr(message, name)]
        if missing:
            raise AdapterError(
                f"{question.process}: {type(message).__name__} has no {listing(missing)} to know a decision by; "
                "name the fields that tell decisions apart as key"
            )
        return "/".join(_part(getattr(message, name)) for name in self._key)


def _part(value: Any) -> str:
    """A part of a key, without the sign that stands between parts."""
    return quote(word(value).encode("utf-8", "backslashreplace"), safe=" ")


def refuse_other(artifact: Artifact, where: str) -> AdapterError:
    """There is another artifact of this name."""
    return AdapterError(
        f"{where} holds another artifact of {artifact.key}: a decision was made twice, or two share a key; "
        "keep both apart, and look at which is right"
    )
