"""Whence the answers of an endpoint come: from a text, a list, a table by what is asked, or a function."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sim.base.errors import ModelError
from sim.base.values import describe
from sim.live.agents.asked import Asked
from sim.live.agents.completion import Completion, OneOf, replies_of

Answer = str | Completion | OneOf
Answers = Answer | Sequence[Answer] | Mapping[str, Any] | Callable[[Asked], Answer]
"""What may be given as the answers of an endpoint."""


def answering(answers: Answers) -> Callable[[Asked], OneOf]:
    """What is answered to whom. Raises `ModelError` for what cannot be answered.

    - one answer: to everybody
    - a list: in the order in which requests come; the last goes on
    - a table: by the model, or else by what the last message has in it; each has answers of its own
    - a function: given what was asked
    """
    if isinstance(answers, str | Completion | OneOf):
        one = replies_of(answers)
        return lambda _: one
    if isinstance(answers, Mapping):
        return _by_key({key: answering(value) for key, value in answers.items()})
    if isinstance(answers, Sequence) and answers:
        return _in_order([replies_of(answer) for answer in answers])
    if callable(answers):
        told = answers
        return lambda asked: replies_of(told(asked))
    raise ModelError(
        f"{describe(answers)} cannot be answered; write a text, a list of them, a table by prompt, or a function of what is asked"
    )


def _in_order(answers: list[OneOf]) -> Callable[[Asked], OneOf]:
    left = iter(answers[:-1])
    return lambda _: next(left, answers[-1])


def _by_key(table: dict[str, Callable[[Asked], OneOf]]) -> Callable[[Asked], OneOf]:
    def answer(asked: Asked) -> OneOf:
        prompt = asked.prompt
        found = table.get(asked.model) or next((table[key] for key in table if key in prompt), None)
        if found is None:
            raise ModelError(f"nothing answers {prompt[:80]!r}; the table has {', '.join(map(repr, table))}")
        return found(asked)

    return answer
