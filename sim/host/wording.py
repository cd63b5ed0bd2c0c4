"""From a message to the words that an agent is asked with, and from its words to an answer of the model's domain.

A prompt and a parse are functions. Where a configuration file says them they are data: `Templates` fills plain names in, and
nothing in a template or in a text is evaluated; `Patterns` looks for regular expressions.
"""

from __future__ import annotations

import inspect
import re
import string
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any, TypeAlias

from sim.base.errors import ConfigError, brief, failure, listing, nearest, unknown
from sim.base.values import Value, show
from sim.consensus import ErrorKind, Failure
from sim.host.adapter import AdapterError, Question

Prompt: TypeAlias = Callable[..., Any]
"""Makes of a message, or of (message, question), what is asked."""
Parse: TypeAlias = Callable[[str], Any]
"""Makes of a text an answer of the model's domain; None if there is none in it."""

INVALID = "invalid"
"""What models call an answer that cannot be read."""
SEARCHED_MAX = 100_000
"""Characters at the end of a text in which patterns are looked for: a verdict comes last, and the time that a pattern takes
may grow faster than the text."""
ROLES = ("system", "developer", "user", "assistant")


def asked(prompt: Prompt, question: Question, parse: Parse | None = None) -> Any:
    """What a prompt makes of a question. Raises `AdapterError` if it fails: it would fail again; or if no answer could ever be
    read by `parse`, where that tells."""
    answers = question.answers
    if isinstance(parse, Patterns) and answers and not any(allowed(one, answers) for one in parse.answers):
        raise AdapterError(_strange(question, parse.answers[0]))
    try:
        return prompt(*(question.message, question)[: _places(prompt)])
    except AdapterError as error:
        raise AdapterError(f"{question.process}: {error.mistakes[0]}") from None
    except Exception as error:
        message = type(question.message).__name__
        raise AdapterError(f"{question.process}: its prompt cannot be made for {message}: {failure(error)}") from None


def _places(prompt: Prompt) -> int:
    """Whether it takes the message only, or the question too."""
    try:
        parameters = inspect.signature(prompt).parameters.values()
    except (TypeError, ValueError):
        return 1
    positional = [one for one in parameters if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
    needed = [one for one in positional if one.default is one.empty]
    return 2 if len(needed) > 1 or any(one.kind is one.VAR_POSITIONAL for one in parameters) else 1


def answer_in(text: str, parse: Parse, question: Question, invalid: Value = INVALID) -> Value:
    """The answer that a text gives: that of `parse`, or `invalid` if it finds none that the model allows.

    Raises `AdapterError` if the model does not allow `invalid` either. Nobody asks again then: the text was paid for, and a
    model without a word for it has no limit to how often that would happen.
    """
    if not question.answers:
        return None  # the model's process has no choice
    try:
        said = parse(text)
        found = allowed(said, question.answers)
    except Exception as error:
        found, why = None, f"its parse raised {failure(error)}"
    else:
        if found is None and said is not None and isinstance(parse, Patterns):
            raise AdapterError(_strange(question, said))
        why = f"it has none of {listing([*map(show, question.answers)])} in it"
    if found is not None:
        return found[0]
    if invalid in question.answers:
        return invalid
    raise AdapterError(
        f"{question.process}: its answer cannot be read: {why}, and the model has no word for that; "
        f"let {show(invalid)} be an answer in the model, or give parse a pattern that always matches"
    )


def _strange(question: Question, answer: Any) -> str:
    return (
        f"{question.process}: parse: {brief(str(answer))} is not an answer of the model: "
        f"use {listing([*map(word, question.answers)])}"
    )


def unreadable(question: Question, invalid: Value = INVALID) -> tuple[Value, Failure | None]:
    """(answer, failure) where nothing that could be parsed has come."""
    return (invalid, None) if invalid in question.answers else (None, Failure(ErrorKind.INVALID))


def allowed(found: Any, answers: Sequence[Value]) -> tuple[Value] | None:
    """The answer that was found, as the model has it: itself, or the one that is written like this."""
    for one in answers:
        if type(one) is type(found) and one == found:
            return (one,)
    if isinstance(found, str):
        for one in answers:
            if found.strip().casefold() in (show(one).casefold(), str(one).casefold()):
                return (one,)
    return None


def fields_of(record: Any) -> dict[str, Any]:
    """The fields of a message as JSON has them; what it has no form for as `show` prints it."""
    return {one.name: _plain(getattr(record, one.name)) for one in fields(record)}


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int) or type(value) is str:
        return value
    return [*map(_plain, value)] if isinstance(value, tuple) else show(value)


class Templates:
    """A prompt from data: messages with a `role` and a `content` in which `{name}` stands for a field of the message.

    Besides fields there are `{texts}`: the payloads that the message brings, each under the message in which it was said;
    `{answers}`: what may be answered; `{message}`: the name of its class; `{session}`, `{process}` and `{sender}`. A brace is
    written twice. Raises `ConfigError`, a line for each mistake.
    """

    def __init__(self, messages: Any) -> None:
        mistakes: list[str] = []
        self._messages: list[tuple[str, tuple[tuple[str, str], ...]]] = []
        if not isinstance(messages, list | tuple) or not messages:
            raise ConfigError("expected a list of messages, such as [{role: user, content: 'Review {stage}.'}]")
        for number, one in enumerate(messages, 1):
            try:
                self._messages.append(_message(one))
            except ConfigError as error:
                mistakes += [f"message {number}: {line}" for line in error.mistakes]
        if mistakes:
            raise ConfigError(*mistakes)

    def __call__(self, message: Any, question: Question) -> list[dict[str, str]]:
        known = {
            "texts": "\n\n".join(f"[{show(text.message)}]\n{text.text}" for text in question.texts),
            "answers": listing([*map(word, question.answers)]),
            "message": type(message).__name__,
            "session": question.session,
            "process": question.process,
            "sender": question.sender,
            **{one.name: word(getattr(message, one.name)) for one in fields(message)},
        }
        return [{"role": role, "content": _filled(parts, known)} for role, parts in self._messages]


def _message(one: Any) -> tuple[str, tuple[tuple[str, str], ...]]:
    if not isinstance(one, Mapping) or {*one} != {"role", "content"}:
        raise ConfigError("expected a role and a content, and nothing else")
    role, content = one["role"], one["content"]
    if role not in ROLES:
        raise ConfigError(unknown("role", role, ROLES))
    if not isinstance(content, str):
        raise ConfigError(f"content: expected a text, got {type(content).__name__}")
    return str(role), _parts(content)


def _parts(template: str) -> tuple[tuple[str, str], ...]:
    """(text, name of the field that follows it) each. A format of Python could read attributes and pad without a bound: here there
    are names alone."""
    try:
        parsed = [*string.Formatter().parse(template)]
    except ValueError as error:
        raise ConfigError(f"content: {error}; to have a brace in the text, write it twice") from None
    for _, name, layout, conversion in parsed:
        if name is not None and (not name.isidentifier() or layout or conversion):
            written = f"{{{name}{'!' + conversion if conversion else ''}{':' + layout if layout else ''}}}"
            raise ConfigError(f"content: {brief(written)}: expected the plain name of a field, such as {{stage}}")
    return tuple((text, name or "") for text, name, _, _ in parsed)


def _filled(parts: tuple[tuple[str, str], ...], known: Mapping[str, str]) -> str:
    for _, name in parts:
        if name and name not in known:
            hint = nearest(name, known)
            raise AdapterError(f"prompt: {{{name}}} is unknown{hint}: use {listing(sorted(known))}")
    return "".join(text + (known[name] if name else "") for text, name in parts)


def word(value: Any) -> str:
    """A value as people write it."""
    return value if type(value) is str else show(value)


class Patterns:
    """A parse from data: for each answer a regular expression that is searched in the text. The first that matches says the
    answer; `otherwise` is the answer where none does. Raises `ConfigError`, a line for each mistake."""

    def __init__(self, patterns: Any, otherwise: Any = None) -> None:
        if not isinstance(patterns, Mapping) or not patterns:
            raise ConfigError("expected a pattern for each answer, such as {ok: 'VERDICT: OK', conflict: 'CONFLICT'}")
        mistakes: list[str] = []
        self.answers = (*patterns, *(() if otherwise is None else (otherwise,)))
        self._patterns: list[tuple[Any, re.Pattern[str]]] = []
        self.otherwise = otherwise
        for answer, pattern in patterns.items():
            try:
                self._patterns.append((answer, re.compile(pattern)))
            except (re.error, TypeError, OverflowError, RecursionError) as error:
                mistakes.append(f"{answer}: {brief(str(pattern))} is not a regular expression: {error}")
        if mistakes:
            raise ConfigError(*mistakes)

    def __call__(self, text: str) -> Any:
        end = text[-SEARCHED_MAX:]
        return next((answer for answer, pattern in self._patterns if pattern.search(end)), self.otherwise)
