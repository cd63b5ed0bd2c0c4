"""Addresses: actions named by their meaning, so that a kept schedule survives a refactoring.

    deliver gemini->coordinator Response(round=1, attempt=2) #2 choosing ok crashing after Store
    deliver gemini->coordinator Response under agent_timeout
    drop gemini->coordinator Response       duplicate gemini->coordinator Response
    fire coordinator.retry                  move user.stop
    crash coordinator                       restart coordinator
    crash coordinator for good              deliver a->b Ask crashing for good after Store
    update coordinator                      (as its other version)
    crash machine, restart machine          deliver a->b Ask crashing with machine after Store
    cut left                                heal left
    start choosing left, 3                  (where `on_start` makes choices)
    drop a->b Ask paid by drop@a            (where several entries of the budget could pay, and it matters which)

and of a program:

    turn                                    (what is ready runs)
    resume client#2 at Pool.acquire         cancel client at Connection.read      stop main
    work worker at Store.write              (a thread goes on)
    deliver redis->client 13 bytes          connect client->redis                 split redis->client 13 bytes
    reset client->redis                     refuse client->redis
    deliver main->server SIGTERM            deliver server->main exit
    cancel client at Pool.acquire after resume client#2 at Pool.release

A pattern may leave out fields, or all of them; `#n` is the n-th send of that description in the run.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from typing import Any

from sim.base.errors import ConfigError, unknown

MESSAGE_VERBS = ("deliver", "drop", "duplicate", "split")
LINK_VERBS = ("connect", "refuse", "reset")
TASK_VERBS = ("resume", "work", "cancel", "stop")
TURN = "turn"
PROCESS_VERBS = ("crash", "restart", "update")
MOVE_VERBS = ("fire", "move")
CUT_VERBS = ("cut", "heal")
OF_PROGRAMS = (*LINK_VERBS, *TASK_VERBS, TURN, "split")
"""Verbs of what only programs do."""
OF_MODELS = ("move", "update")
"""Verbs of what only models do."""
START = "start"
VERBS = (START, *MESSAGE_VERBS, *MOVE_VERBS, *PROCESS_VERBS, *CUT_VERBS, *LINK_VERBS, *TASK_VERBS, TURN)

SIZED = ("bytes", "datagram")
"""Types of what has no fields, but a size."""

ARRIVING = (*SIZED, "end", "reset", "exit", "SIGHUP", "SIGINT", "SIGTERM", "SIGKILL")
"""Types of what arrives at a program, or at a process that it has started."""

AT_ONCE = "at once"
FOR_GOOD = "for good"


@dataclass(frozen=True)
class Address:
    """The name of an action. Fields that do not apply to the verb are empty."""

    verb: str
    source: str = ""
    target: str = ""
    type: str = ""
    fields: Mapping[str, str] | None = None
    ordinal: int | None = None
    process: str = ""
    subject: str = ""
    under: str | None = None
    reordered: bool = False
    choosing: tuple[str, ...] | None = None
    crashing: str | None = None
    for_good: bool = False
    paid: str | None = None
    where: str = ""
    """Of a task or thread: where it waits."""
    after: str = ""
    """The address of what came just before."""

    @property
    def message(self) -> str:
        """`source->target Type(field=value, ...)`: the part that describes an envelope, or `source->target 13 bytes`."""
        fields = dict(self.fields or {})
        size = f"{fields.pop('size')} " if self.type in SIZED and "size" in fields else ""
        inner = ", ".join(f"{name}={text}" for name, text in fields.items())
        return f"{self.source}->{self.target} {size}{self.type}{f'({inner})' if inner else ''}"

    def __str__(self) -> str:
        if self.verb in MESSAGE_VERBS:
            text = f"{self.verb} {self.message}"
        elif self.verb in MOVE_VERBS:
            text = f"{self.verb} {self.process}.{self.subject}"
        elif self.verb in LINK_VERBS:
            text = f"{self.verb} {self.source}->{self.target}"
        elif self.verb in TASK_VERBS:
            text = f"{self.verb} {self.process}" + (f" at {self.where}" if self.where else "")
        else:
            text = f"{self.verb} {self.process or self.subject}".strip() + f" {FOR_GOOD}" * self.for_good
        text += f" #{self.ordinal}" if self.ordinal is not None else ""
        text += f" under {self.under}" if self.under else ""
        text += " reordered" if self.reordered else ""
        text += f" choosing {', '.join(self.choosing)}" if self.choosing else ""
        text += f" crashing {self.crashing}" if self.crashing else ""
        text += f" paid by {self.paid}" if self.paid else ""
        return text + (f" after {self.after}" if self.after else "")

    def describes(self, other: Address) -> bool:
        """Whether the envelope of `other` fits this pattern; fields left out fit anything."""
        if (self.source, self.target, self.type) != (other.source, other.target, other.type):
            return False
        theirs = other.fields or {}
        return all(name in theirs and _same(text, theirs[name]) for name, text in (self.fields or {}).items())

    def fits(self, other: Address) -> bool:
        """Whether this pattern may mean the action `other`, its ordinal aside."""
        if (self.verb, self.process, self.subject) != (other.verb, other.process, other.subject):
            return False
        if self.for_good is not other.for_good or (self.where and self.where != other.where):
            return False
        if self.after and not (other.after and parse_address(self.after).fits(parse_address(other.after))):
            return False
        if self.paid and other.paid and self.paid != other.paid:
            return False
        if self.reordered is not other.reordered or self.crashing != other.crashing or not self.describes(other):
            return False
        if (self.under or "") != (other.under or "") and (self.under or "") != (other.under or "").partition("(")[0]:
            return False
        mine, theirs = self.choosing, other.choosing or ()
        return mine is None or (len(mine) == len(theirs) and all(map(_same, mine, theirs)))


def _same(one: str, other: str) -> bool:
    return _bare(one) == _bare(other)


def _bare(text: str) -> str:
    inner = text[1:-1]
    quoted = len(text) > 2 and text[0] == text[-1] and text[0] in "'\"" and inner.isidentifier()
    return inner if quoted and inner not in ("None", "True", "False") else text


_CLAUSES = re.compile(
    r"(?:\s+#(?P<ordinal>\d{1,9}))?"
    r"(?:\s+under\s+(?P<under>[a-z_][\w]*(?:\([^()]*\))?))?"
    r"(?P<reordered>\s+reordered)?"
    r"(?:\s+choosing\s+(?P<choosing>[^\s,]+(?:\s*,\s*[^\s,]+)*))?"
    r"(?:\s+crashing\s+(?P<crashing>(?:with\s+\S+\s+)?(?:for\s+good\s+)?(?:at once|after\s+.+?)))?"
    r"(?:\s+paid\s+by\s+(?P<paid>[a-z_].*?))?\s*"
)
_ENDS = r"(?P<source>[^\s>]+?)\s*->\s*(?P<target>\S+)"
_LINK = re.compile(_ENDS)
_ROUTE = re.compile(rf"{_ENDS}\s+(?:(?P<size>\d+)\s+)?(?P<type>[A-Za-z_]\w*)")
_AT = re.compile(r"(?P<task>\S+)(?:\s+at\s+(?P<where>\S+))?")


_AFTER = re.compile(rf"(?<!crashing)(?<!crashing for good)\s+after\s+(?=(?:{'|'.join(VERBS)})(?:\s|$))")


def parse_address(text: str) -> Address:
    """The pattern that `text` spells. Raises `ConfigError` that says what would be right."""
    what, *after = _AFTER.split(text.strip(), maxsplit=1)
    found = _parse(what)
    return replace(found, after=str(parse_address(after[0]))) if after else found


def _parse(text: str) -> Address:
    verb, _, rest = text.strip().partition(" ")
    rest = rest.strip()
    if verb not in VERBS:
        raise ConfigError(f"{text!r}: {unknown('action', verb, VERBS)}")
    if verb in MESSAGE_VERBS:
        return _parse_message(text, verb, rest)
    if verb in LINK_VERBS:
        link = _LINK.match(rest)
        if link is None:
            raise ConfigError(f"{text!r}: write {verb} source->target, such as {verb} client->redis")
        ends = _first(link["source"]), _first(link["target"])
        return Address(verb, *ends, **_clauses(text, rest[link.end() :]))
    if verb in TASK_VERBS:
        task = _AT.match(rest)
        if task is None:
            raise ConfigError(f"{text!r}: write {verb} task at place, such as {verb} client#2 at Pool.acquire")
        told = _clauses(text, rest[task.end() :])
        return Address(verb, process=_first(task["task"]), where=task["where"] or "", **told)
    if verb in (START, TURN):
        return Address(verb, **_clauses(text, f" {rest}" if rest else ""))
    head, _, clauses = rest.partition(" ")
    lasting = re.match(r"for\s+good(?!\S)", clauses.strip()) if verb in ("crash", "cut") else None
    clauses = clauses.strip()[lasting.end() :] if lasting else clauses
    fields = _clauses(text, f" {clauses}" if clauses else "")
    if verb in MOVE_VERBS:
        process, dot, subject = head.rpartition(".")
        if not dot or not process or not subject:
            example = "coordinator.retry" if verb == "fire" else "user.stop"
            raise ConfigError(
                f"{text!r}: write {verb} process.{'timer' if verb == 'fire' else 'move'}, such as {example}"
            )
        return Address(verb, process=_first(process), subject=subject, **fields)
    if not head:
        raise ConfigError(f"{text!r}: {verb} what? Write the name of a {'cut' if verb in CUT_VERBS else 'process'}")
    if verb in PROCESS_VERBS:
        return Address(verb, process=head, for_good=bool(lasting), **fields)
    return Address(verb, subject=head, for_good=bool(lasting), **fields)


def _parse_message(text: str, verb: str, rest: str) -> Address:
    route = _ROUTE.match(rest)
    if route is None:
        raise ConfigError(f"{text!r}: write {verb} source->target Type(field=value), such as a->b Ask(round=1)")
    rest = rest[route.end() :]
    fields: dict[str, str] | None = None
    if rest.startswith("("):
        end = _closing(rest)
        if end < 0:
            raise ConfigError(f"{text!r}: the parenthesis after {route['type']} is never closed")
        fields = {}
        for part in _split(rest[1:end]):
            name, equals, value = part.partition("=")
            if not equals or not name.strip().isidentifier() or not value.strip():
                raise ConfigError(f"{text!r}: {part.strip()!r} is not of the form field=value")
            fields[name.strip()] = value.strip()
        rest = rest[end + 1 :]
    if route["size"]:
        fields = {"size": route["size"], **(fields or {})}
    ends = _first(route["source"]), _first(route["target"])
    return Address(verb, *ends, route["type"], fields, **_clauses(text, rest))


def _first(name: str) -> str:
    """The first of a name has it without a number."""
    return name.removesuffix("#1")


def _clauses(text: str, rest: str) -> dict[str, Any]:
    match = _CLAUSES.fullmatch(_masked(rest))
    if match is None:
        raise ConfigError(
            f"{text!r}: {rest.strip()!r} is not understood{_meant(rest)}; an action may be followed by #n, under FAULT, reordered, "
            "choosing OUTCOME, crashing at once, crashing after OUTPUT, crashing for good ..., paid by ENTRY, in this order"
        )
    choosing, crashing, paid = (
        rest[slice(*match.span(g))] if match[g] else None for g in ("choosing", "crashing", "paid")
    )
    return {
        "ordinal": int(match["ordinal"]) if match["ordinal"] else None,
        "under": rest[slice(*match.span("under"))] if match["under"] else None,
        "reordered": bool(match["reordered"]),
        "choosing": tuple(part.strip() for part in _split(choosing)) if choosing else None,
        "crashing": re.sub(r"\s+", " ", crashing) if crashing else None,
        "paid": re.sub(r"\s+", " ", paid) if paid else None,
    }


_HINTED = re.compile(r"under [a-z_]\w*(?=[ :@=]+(\d\S*))")
_CLAUSE_WORDS = (
    *("under", "reordered", "choosing", "crashing at once", "crashing after", "crashing for good", "paid by"),
    FOR_GOOD,
)


def _meant(rest: str) -> str:
    """` (did you mean 'crashing after'?)` for the words that begin what is not understood; or an empty string."""
    if hinted := _HINTED.search(" ".join(rest.split())):
        return f" (did you mean '{hinted[0]}({hinted[1]})'?)"
    masked = _CLAUSES.match(_masked(rest))
    words = rest[masked.end() if masked else 0 :].split()
    likes = {one: SequenceMatcher(None, " ".join(words[: len(one.split())]), one).ratio() for one in _CLAUSE_WORDS}
    best = max(likes, key=lambda one: likes[one])
    return f" (did you mean {best!r}?)" if 0.7 <= likes[best] < 1 else ""


def _closing(text: str) -> int:
    """Position of the parenthesis that closes the one `text` starts with, or -1."""
    depth = 0
    for at, char in _outside_quotes(text):
        depth += (char in "([{") - (char in ")]}")
        if depth == 0:
            return at
    return -1


def _split(text: str) -> list[str]:
    """`text`, split at the commas outside brackets and quotes."""
    parts, depth, start = [], 0, 0
    for at, char in _outside_quotes(text):
        depth += (char in "([{") - (char in ")]}")
        if char == "," and depth == 0:
            parts.append(text[start:at])
            start = at + 1
    return [part for part in (*parts, text[start:]) if part.strip()]


def _masked(text: str) -> str:
    """`text` with `_` for whatever is in quotes or brackets: values there may look like clauses."""
    masked, depth = ["_"] * len(text), 0
    for at, char in _outside_quotes(text):
        depth -= char in ")]}"
        if depth == 0:
            masked[at] = char
        depth += char in "([{"
    return "".join(masked)


def _outside_quotes(text: str) -> list[tuple[int, str]]:
    found, quote, escaped = [], "", False
    for at, char in enumerate(text):
        if quote:
            if escaped:
                escaped = False
            elif char == "\\":
                escaped = True
            elif char == quote:
                quote = ""
        elif char in "'\"":
            quote = char
        else:
            found.append((at, char))
    return found
