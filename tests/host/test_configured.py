"""Adapters from a configuration: what may be said, and one line for each mistake."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from sim.base.errors import ConfigError
from sim.host.adapter import Silent
from sim.host.artifact_file import ArtifactFile
from sim.host.artifact_folder import ArtifactFolder
from sim.host.chat_agent import AnthropicAgent, ChatAgent
from sim.host.command_agent import CommandAgent
from sim.host.configured import KINDS, adapter_of
from sim.host.person import Person
from tests.host.endpoints import KEY, completion, question, said, serving

PROMPT = [{"role": "user", "content": "Review {stage}."}]
PARSE = {"conflict": "CONFLICT", "ok": "OK"}
CHAT = {"kind": "chat", "url": "https://x.example/v1", "model": "m", "prompt": PROMPT, "parse": PARSE}


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMINI_KEY", KEY)


def mistakes(given: Any, **more: Any) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as told:
        adapter_of("gemini", given, "host.yaml: adapters", **more)
    assert all(line.startswith("host.yaml: adapters: gemini: ") for line in told.value.mistakes)
    return tuple(line.removeprefix("host.yaml: adapters: gemini: ") for line in told.value.mistakes)


def test_each_kind_can_be_said(tmp_path: Path) -> None:
    rest = {"prompt": PROMPT, "parse": PARSE, "otherwise": "invalid", "timeout": "30s", "bytes_max": 1000}
    http = {**rest, "model": "m", "key_env": "GEMINI_KEY", "headers": {"X-A": "b"}, "options": {"top_p": 1}}
    said_so: list[tuple[dict[str, Any], type]] = [
        ({"kind": "chat", "url": "https://x.example/v1", **http}, ChatAgent),
        ({"kind": "anthropic", **http, "max_tokens": 10}, AnthropicAgent),
        ({"kind": "command", "command": ["gemini", "-p"], **rest, "env": ["GEMINI_KEY"], "folder": "."}, CommandAgent),
        ({"kind": "person"}, Person),
        ({"kind": "person", "parse": {"go on": "yes"}, "otherwise": "end"}, Person),
        ({"kind": "folder", "path": str(tmp_path / "kept"), "key": ["run", "seq"]}, ArtifactFolder),
        ({"kind": "sqlite", "path": str(tmp_path / "kept.db")}, ArtifactFile),
        ({"kind": "silent"}, Silent),
    ]
    assert {given["kind"] for given, _ in said_so} == {*KINDS}
    for given, kind in said_so:
        adapter: Any = adapter_of("gemini", given, "host.yaml")
        assert type(adapter) is kind
        if kind in (ChatAgent, AnthropicAgent):
            assert (adapter.endpoint.timeout_ms, adapter.endpoint.bytes_max) == (30_000, 1000)
        asyncio.run(adapter.close())


def test_it_asks_as_it_was_said() -> None:
    async def work() -> Any:
        async with serving(said(200, completion("all OK")), said(200, completion("?"))) as server:
            given = {**CHAT, "url": server.url(), "otherwise": "conflict", "key_env": "GEMINI_KEY"}
            adapter = adapter_of("gemini", given, "host.yaml")
            answers = [(await adapter.ask(question())).answer for _ in range(2)]
            await adapter.close()
            return answers, server.seen[0].body["messages"]

    assert asyncio.run(work()) == (["ok", "conflict"], [{"role": "user", "content": "Review validate."}])


def without(*keys: str) -> dict[str, Any]:
    return {key: value for key, value in CHAT.items() if key not in keys}


@pytest.mark.parametrize(
    ("given", "lines"),
    [
        (None, ["expected a kind and its keys, such as {kind: person}, got NoneType 'None'"]),
        ({1: 2}, ["expected a kind and its keys, such as {kind: person}, got dict '{1: 2}'"]),
        ({}, ["kind is missing; use chat, anthropic, command, person, folder, sqlite or silent, or class"]),
        (
            {"kind": "chta"},
            [
                "unknown kind 'chta' (did you mean 'chat'?): use chat, anthropic, command, person, folder, sqlite or silent"
            ],
        ),
        ({"kind": "silent", "path": "x"}, ["unknown key 'path': silent has none"]),
        (
            {"kind": "folder", "pth": "x"},
            ["unknown key 'pth' (did you mean 'path'?): use path or key", "path is missing; folder needs path"],
        ),
        (without("url"), ["url is missing; chat needs url, model, prompt and parse"]),
        ({**CHAT, "model": 7}, ["model: expected a text, got int '7'"]),
        ({**CHAT, "timeout": 30}, ["timeout: expected a duration such as 30s, got int '30'"]),
        ({**CHAT, "timeout": "0s"}, ["timeout: expected more than nothing, such as 30s"]),
        (
            {**CHAT, "timeout": "soon", "bytes_max": True},
            [
                "timeout: 'soon' is not a duration; write a number and a unit, such as 250ms, 30s, 5min, 1h or 7d",
                "bytes_max: expected a whole number of 1 or more, got bool 'True'",
            ],
        ),
        (
            {**CHAT, "key_env": "sk-secret-0123456789"},
            ["key_env: expected the name of the variable that holds the key, such as OPENAI_API_KEY, not the key"],
        ),
        (
            {**CHAT, "key_env": "sksecret0123456789"},
            ["key_env: expected the name of the variable that holds the key, such as OPENAI_API_KEY, not the key"],
        ),
        ({**CHAT, "key_env": "NO_KEY"}, ["the variable NO_KEY is not set; put the key into it"]),
        ({**CHAT, "headers": ["a"]}, ["headers: expected keys and values, got list \"['a']\""]),
        (
            {**CHAT, "headers": {"authorization": "Bearer x"}},
            ["headers: authorization is not for a configuration; put a key into a variable, named as key_env"],
        ),
        (
            {**CHAT, "prompt": [{"role": "user", "content": "{a.b}"}], "parse": {"ok": "("}},
            [
                "prompt: message 1: content: '{a.b}': expected the plain name of a field, such as {stage}",
                "parse: ok: '(' is not a regular expression: missing ), unterminated subpattern at position 0",
            ],
        ),
        ({**CHAT, "otherwise": ["ok"]}, ["otherwise: expected an answer of the model, got list \"['ok']\""]),
        (
            {"kind": "person", "otherwise": "ok"},
            ["otherwise: says what is answered where no pattern of parse matches; parse is missing"],
        ),
        (
            {"kind": "command", "command": "gemini -p", "prompt": PROMPT, "parse": PARSE},
            ["command: expected a list of texts, got 'gemini -p'"],
        ),
        ({"kind": "folder", "path": "no/such/folder"}, ["no/such/folder: there is no folder no/such; make it first"]),
    ],
)
def test_each_mistake_is_one_line(given: Any, lines: list[str]) -> None:
    assert [*mistakes(given)] == lines


# --- classes ----------------------------------------------------------------------------------------------


class Mine(Silent):
    def __init__(self, word: str) -> None:
        self.word = word


def allow(name: str) -> Any:
    if name != "mine.adapters:Mine":
        raise ConfigError(f"{name} is not allowed")
    return Mine


def test_a_class_is_made_if_it_is_allowed() -> None:
    given = {"class": "mine.adapters:Mine", "with": {"word": "yes"}}
    made = adapter_of("gemini", given, "host.yaml", allow)
    assert isinstance(made, Mine)
    assert made.word == "yes"
    assert mistakes({"class": "os:system"}, class_of=allow) == ("os:system is not allowed",)
    (line,) = mistakes(given)
    assert line.startswith("class: mine.adapters:Mine: only kinds can be named here: use chat")


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"class": "Mine"}, "class: expected the name of a class, such as package.module:Class, got 'Mine'"),
        ({"class": "a.b:c()"}, "class: expected the name of a class, such as package.module:Class, got 'a.b:c()'"),
        ({"class": "mine.adapters:Mine", "with": [1]}, "with: expected the arguments of Mine by name, got list '[1]'"),
        ({"class": "mine.adapters:Mine", "wiht": {}}, "unknown key 'wiht' (did you mean 'with'?): use class or with"),
    ],
)
def test_a_class_that_is_said_wrong_is_one_line(given: dict[str, Any], line: str) -> None:
    assert mistakes(given, class_of=allow) == (line,)


def test_a_class_that_cannot_be_made_or_is_no_adapter_is_one_line() -> None:
    (line,) = mistakes({"class": "mine.adapters:Mine", "with": {"wrod": 1}}, class_of=allow)
    assert line.startswith("class: mine.adapters:Mine cannot be made with this: TypeError: ")
    (line,) = mistakes({"class": "mine.adapters:Mine"}, class_of=lambda _: dict)
    assert (
        line
        == "class: mine.adapters:Mine is not an adapter: it needs `async def ask(question)` and `async def close()`"
    )
