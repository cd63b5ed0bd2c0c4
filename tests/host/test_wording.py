"""Prompts and parses as data: nothing in a template or a text is evaluated."""

from __future__ import annotations

from typing import Any

import pytest

from sim.base.errors import ConfigError
from sim.host.adapter import AdapterError, Text
from sim.host.wording import SEARCHED_MAX, Patterns, Templates, allowed, answer_in, asked
from tests.host.endpoints import Ask, question


def filled(content: str, *texts: Text) -> str:
    (message,) = asked(Templates([{"role": "user", "content": content}]), question(("ok", True), "j1/7", *texts))
    assert message["role"] == "user"
    return str(message["content"])


def test_names_are_filled_in_once() -> None:
    assert filled("{run}: review {stage} as {process} for {sender} of {session}: {answers}; {message} {{stage}}") == (
        "r: review validate as gemini for coordinator of s1: ok or True; Ask {stage}"
    )
    said = Text(Ask("r", "plan"), "I say {run} and {0.__class__}", "abc")
    assert filled("{texts}!", said) == "[Ask(run=r, stage=plan)]\nI say {run} and {0.__class__}!"


@pytest.mark.parametrize(
    "content",
    ["{stage.__class__}", "{stage[0]}", "{stage!r}", "{stage:>99999999}", "{}", "{0}", "{stage:{run}}", "{ stage }"],
)
def test_what_is_more_than_a_name_is_refused(content: str) -> None:
    with pytest.raises(ConfigError, match=r"message 1: content: .*expected the plain name of a field"):
        Templates([{"role": "user", "content": content}])


@pytest.mark.parametrize(
    ("messages", "why"),
    [
        ([], "expected a list of messages"),
        ("text", "expected a list of messages"),
        ([{"role": "user"}], "message 1: expected a role and a content"),
        ([{"role": "usr", "content": "x"}], r"message 1: unknown role 'usr' \(did you mean 'user'\?\)"),
        ([{"role": "user", "content": 7}], "message 1: content: expected a text, got int"),
        ([{"role": "user", "content": "{"}], "message 1: content: .*to have a brace in the text, write it twice"),
    ],
)
def test_a_template_that_is_wrong_is_told_where(messages: Any, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        Templates(messages)


def test_a_field_that_the_message_does_not_have_is_told() -> None:
    with pytest.raises(
        AdapterError, match=r"gemini: prompt: \{stge\} is unknown \(did you mean 'stage'\?\): use answers"
    ):
        filled("{stge}")


def test_the_first_pattern_that_matches_says_the_answer() -> None:
    parse = Patterns({"conflict": "(?i)conflict", "ok": "ok$"}, "invalid")
    assert [parse(text) for text in ("no Conflict, ok", "ok", "ok then")] == ["conflict", "ok", "invalid"]
    assert Patterns({"ok": "ok"})("nothing") is None


def test_a_verdict_is_looked_for_at_the_end_of_a_long_text() -> None:
    parse = Patterns({"conflict": "CONFLICT", "ok": "OK"})
    assert parse("CONFLICT" + "x" * SEARCHED_MAX + "OK") == "ok"


@pytest.mark.parametrize(
    ("patterns", "why"),
    [
        ({}, "expected a pattern for each answer"),
        ("ok", "expected"),
        ({"ok": "("}, "ok: '\\(' is not a"),
        ({"ok": 7}, "ok: '7'"),
    ],
)
def test_a_pattern_that_is_wrong_is_told(patterns: Any, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        Patterns(patterns)


def test_an_answer_is_one_of_the_models() -> None:
    answers = ("go on", True, 1, ("a", "b"))
    assert allowed("Go on ", answers) == ("go on",)
    assert allowed("true", answers) == (True,)
    assert allowed("1", answers) == (1,)
    assert allowed(1, answers) == (1,)
    assert allowed(True, answers) == (True,)
    assert allowed("(a, b)", answers) == (("a", "b"),)
    assert allowed(0, answers) is None
    assert allowed(None, answers) is None


def test_a_parse_for_answers_that_the_model_does_not_have_is_told_before_anybody_is_paid() -> None:
    parse = Patterns({"great": "GOOD"})
    with pytest.raises(AdapterError, match="gemini: parse: 'great' is not an answer of the model: use ok or invalid"):
        asked(lambda message: "well?", question(("ok", "invalid")), parse)
    assert (
        asked(lambda message: "well?", question(("ok", "invalid")), Patterns({"great": "GOOD", "ok": "OK"})) == "well?"
    )
    with pytest.raises(AdapterError, match="gemini: parse: 'great' is not an answer of the model"):
        answer_in("GOOD", Patterns({"great": "GOOD", "ok": "OK"}), question(("ok", "invalid")))
    assert answer_in("hm", Patterns({"great": "GOOD", "ok": "OK"}), question(("ok", "invalid"))) == "invalid"
