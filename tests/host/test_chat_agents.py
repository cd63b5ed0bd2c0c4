"""Agents over HTTP: what real servers do, and what comes of it."""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sim.base.errors import ConfigError
from sim.consensus import ErrorKind, Failure
from sim.host import secret, tries
from sim.host.adapter import AdapterError, Reply
from sim.host.chat_agent import AnthropicAgent, ChatAgent
from tests.host.endpoints import (
    KEY,
    Answer,
    completion,
    dripping,
    huge,
    never,
    question,
    raw,
    said,
    serving,
)

Made = Callable[..., Any]


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMINI_KEY", KEY)


def verdict(text: str) -> str | None:
    return text.rpartition("VERDICT: ")[2] if "VERDICT: " in text else None


def asking(
    *answers: Answer, answers_of_model: tuple[Any, ...] = ("ok", "conflict"), times: int = 1, **given: Any
) -> tuple[Any, Any]:
    """The last reply of an agent whose server answers so, and the server; or the error, in place of the reply."""

    async def work() -> tuple[Any, Any]:
        async with serving(*answers) as server:
            arguments = {
                "model": "gpt-5",
                "prompt": lambda ask: [{"role": "user", "content": f"Review {ask.stage}."}],
                "parse": verdict,
                "key_env": "GEMINI_KEY",
                "timeout_ms": 5_000,
                **given,
            }
            kind = arguments.pop("kind", ChatAgent)
            agent = kind(arguments.pop("url", server.url()), **arguments)
            try:
                for _ in range(times):
                    reply = await agent.ask(question(answers_of_model))
                return reply, server
            except AdapterError as error:
                return error, server
            finally:
                await agent.close()

    return asyncio.run(work())


def test_an_answer_is_a_word_of_the_model_with_its_text_its_tokens_and_what_a_trace_says() -> None:
    reply, server = asking(said(200, completion("I looked.\nVERDICT: conflict")))
    assert (reply.answer, reply.failure, reply.text) == ("conflict", None, "I looked.\nVERDICT: conflict")
    assert (reply.usage.input_tokens, reply.usage.output_tokens, reply.model) == (11, 7, "gpt-5-2026")
    facts = dict(reply.facts)
    assert facts.pop("duration_ms") >= 0
    assert facts == {
        "gen_ai.system": "openai",
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "gpt-5",
        "gen_ai.response.id": "chatcmpl-1",
        "gen_ai.response.model": "gpt-5-2026",
        "gen_ai.response.finish_reasons": ["stop"],
        "server.address": "127.0.0.1",
        "server.port": server.port,
        "http.response.status_code": 200,
    }
    (request,) = server.seen
    assert request.line == "POST /v1/chat/completions?api-version=hush HTTP/1.1"
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.headers["idempotency-key"] == "j1/7"
    assert request.body == {"model": "gpt-5", "messages": [{"role": "user", "content": "Review validate."}]}


def test_a_prompt_may_ask_for_the_question_too_and_options_and_headers_are_sent() -> None:
    _, server = asking(
        said(200, completion()),
        prompt=lambda ask, asked: f"{asked.session}: {ask.run}",
        options={"temperature": 0},
        headers={"X-Title": "council"},
    )
    (request,) = server.seen
    assert request.body["messages"] == [{"role": "user", "content": "s1: r"}]
    assert (request.body["temperature"], request.headers["x-title"]) == (0, "council")


def test_anthropic_has_its_own_headers_system_prompt_and_counts() -> None:
    message = {
        "id": "msg_1",
        "model": "claude-5",
        "content": [{"type": "thinking", "thinking": "?"}, {"type": "text", "text": "VERDICT: ok"}],
        "stop_reason": "end_turn",
        "usage": {
            "input_tokens": 3,
            "cache_read_input_tokens": 4,
            "cache_creation_input_tokens": 0,
            "output_tokens": 5,
        },
    }
    reply, server = asking(
        said(200, message),
        kind=AnthropicAgent,
        prompt=lambda _: [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "?"}],
    )
    assert (reply.answer, reply.usage.input_tokens, reply.usage.output_tokens) == ("ok", 7, 5)
    assert reply.facts["gen_ai.response.finish_reasons"] == ["end_turn"]
    (request,) = server.seen
    assert request.headers["x-api-key"] == KEY
    assert request.headers["anthropic-version"] == "2023-06-01"
    assert "authorization" not in request.headers
    assert request.body == {
        "model": "gpt-5",
        "max_tokens": 4096,
        "system": "Be brief.",
        "messages": [{"role": "user", "content": "?"}],
    }


# --- failures that the model knows ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        (said(429, {}, Retry_After="2"), Failure(ErrorKind.RATE_LIMITED, 2_000)),
        (said(429, {}), Failure(ErrorKind.RATE_LIMITED)),
        (said(429, {}, Retry_After="soon"), Failure(ErrorKind.RATE_LIMITED)),
        (
            said(429, {}, Retry_After="Fri, 27 Nov 2026 12:00:03 GMT", Date="Fri, 27 Nov 2026 12:00:00 GMT"),
            Failure(ErrorKind.RATE_LIMITED, 3_000),
        ),
        (said(429, {"error": {"code": "usage_limit_reached"}}), Failure(ErrorKind.USAGE_LIMIT)),
        (said(500, b"<html>"), Failure(ErrorKind.SERVER)),
        (said(503, {}, Retry_After="1"), Failure(ErrorKind.SERVER, 1_000)),
        (said(408, {}), Failure(ErrorKind.REQUEST_TIMEOUT)),
        (said(200, {"error": {"code": 429, "message": "slow down"}}), Failure(ErrorKind.RATE_LIMITED)),
        (said(200, {"error": {"message": "?"}}), Failure(ErrorKind.SERVER)),
        (raw(b""), Failure(ErrorKind.STREAM)),
        (raw(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{"), Failure(ErrorKind.STREAM)),
        (raw(b"\x00\x01\x02 nothing of HTTP\r\n\r\n"), Failure(ErrorKind.STREAM)),
        (said(200, b"<html>a proxy</html>"), Failure(ErrorKind.INVALID)),
        (said(200, b"[" * 100_000), Failure(ErrorKind.INVALID)),
        (said(200, b"[1]"), Failure(ErrorKind.INVALID)),
        (said(200, {"choices": []}), Failure(ErrorKind.INVALID)),
        (said(200, completion(), Content_Encoding="gzip"), None),
        (said(200, completion("")), Failure(ErrorKind.EMPTY)),
        (said(200, completion(" \n")), Failure(ErrorKind.EMPTY)),
        (said(200, completion(None)), Failure(ErrorKind.EMPTY)),
        (said(204, b""), Failure(ErrorKind.INVALID)),
    ],
)
def test_what_goes_wrong_is_a_failure_of_the_model(answer: Answer, failure: Failure | None) -> None:
    reply, _ = asking(answer)
    assert isinstance(reply, Reply), reply
    assert reply.failure == failure
    assert (reply.text is None) == (failure is not None)


def test_an_answer_that_is_late_drips_or_is_not_there_has_an_end() -> None:
    for answer in (never, dripping):
        reply, _ = asking(answer, timeout_ms=60)
        assert reply.failure == Failure(ErrorKind.TIMEOUT)
        assert reply.facts["duration_ms"] < 5_000


def test_nobody_at_the_address_is_a_connection_that_failed() -> None:
    reply, _ = asking(said(200, completion()), url="http://127.0.0.1:9/v1/chat/completions")
    assert reply.failure == Failure(ErrorKind.CONNECT)


def test_an_empty_answer_was_paid_for_all_the_same() -> None:
    reply, _ = asking(said(200, completion("")))
    assert reply.usage.input_tokens == 11


def test_of_a_body_that_is_too_large_no_more_is_read_than_is_allowed() -> None:
    reply, server = asking(huge, bytes_max=10_000)
    assert reply.failure == Failure(ErrorKind.INVALID)
    assert reply.facts["error.type"] == "too large"
    assert server.broken == 1


def test_a_body_of_just_the_size_that_is_allowed_is_read() -> None:
    size = len(json.dumps(completion()))
    assert asking(said(200, completion()), bytes_max=size)[0].answer == "ok"
    assert asking(said(200, completion()), bytes_max=size - 1)[0].failure == Failure(ErrorKind.INVALID)


def test_tokens_that_nobody_says_or_that_contradict_each_other_are_unknown() -> None:
    assert asking(said(200, completion(usage=None)))[0].usage is None
    wrong = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 5}
    assert asking(said(200, completion(usage=wrong)))[0].usage is None


# --- what cannot be read ---------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["no verdict at all", "VERDICT: maybe"])
def test_a_text_without_an_answer_is_invalid_where_the_model_has_that_word(text: str) -> None:
    reply, _ = asking(said(200, completion(text)), answers_of_model=("ok", "invalid"))
    assert (reply.answer, reply.failure, reply.text) == ("invalid", None, text)
    error, server = asking(said(200, completion(text)), times=9)
    assert isinstance(error, AdapterError)
    assert len(server.seen) == 1  # nobody pays for it twice
    assert error.mistakes[0].startswith("gemini: its answer cannot be read: it has none of ok or conflict in it")


def test_a_parse_that_raises_found_nothing() -> None:
    def parse(text: str) -> str:
        raise KeyError(text)

    assert asking(said(200, completion()), parse=parse, answers_of_model=("ok", "invalid"))[0].answer == "invalid"
    error, _ = asking(said(200, completion()), parse=parse)
    assert "its parse raised KeyError" in error.mistakes[0]


def test_garbage_is_invalid_where_the_model_has_that_word() -> None:
    reply, _ = asking(said(200, b"<html>"), answers_of_model=("ok", "invalid"))
    assert (reply.answer, reply.failure, reply.text) == ("invalid", None, None)


def test_a_process_without_a_choice_is_not_parsed() -> None:
    reply, _ = asking(said(200, completion("anything")), answers_of_model=())
    assert (reply.answer, reply.text) == (None, "anything")


def test_one_question_costs_no_endless_money() -> None:
    empty = said(200, completion(""))
    error, server = asking(empty, times=99)
    assert isinstance(error, AdapterError)
    assert len(server.seen) == tries.TRIES_MAX
    assert "5 times" in error.mistakes[0]
    reply, server = asking(*[empty] * 4, said(200, completion()), *[empty] * 4, times=9)
    assert reply.failure == Failure(ErrorKind.EMPTY)  # an answer in between begins anew


def test_what_costs_nothing_may_be_tried_for_as_long_as_it_takes() -> None:
    reply, server = asking(said(500, {}), times=20)
    assert reply.failure == Failure(ErrorKind.SERVER)
    assert len(server.seen) == 20


# --- what no attempt makes better ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (
            said(401, {"error": {"message": f"Incorrect API key provided: {KEY}\x1b[31m"}}),
            "gemini: URL does not accept the key (401): 'Incorrect API key provided: [GEMINI_KEY]\\x1b[31m'; "
            "put one that is valid into GEMINI_KEY, then resume",
        ),
        (
            said(403, b"no"),
            "gemini: URL does not accept the key (403); put one that is valid into GEMINI_KEY, then resume",
        ),
        (
            said(404, {"error": "no such model"}),
            "gemini: URL has nothing there (404): 'no such model'; the address is that of the endpoint itself; look at it, "
            "the model, the prompt and the options, then resume",
        ),
        (
            said(400, [{"error": {"message": "bad"}}]),
            "gemini: URL refuses the request (400): 'bad'; the address is that of the endpoint itself; look at it, the model, "
            "the prompt and the options, then resume",
        ),
        (
            said(429, {"error": {"code": "insufficient_quota", "message": "You exceeded it."}}, Retry_After="nonsense"),
            "gemini: URL says that the quota is used up (429): 'You exceeded it.'; raise it with the provider, or name "
            "another one, then resume",
        ),
        (
            said(302, b"", Location="http://evil.example/?token=1"),
            "gemini: URL leads elsewhere (302), where no key is sent to; name the address of the endpoint itself",
        ),
    ],
)
def test_what_is_permanent_is_one_line_that_says_where_what_and_what_to_do(answer: Answer, line: str) -> None:
    error, server = asking(answer)
    assert isinstance(error, AdapterError), error
    assert error.mistakes == (line.replace("URL", f"http://127.0.0.1:{server.port}/v1/chat/completions"),)
    assert len(server.seen) == 1


def test_no_key_follows_a_redirect() -> None:
    async def work() -> list[Any]:
        async with serving(said(200, completion())) as other, serving(said(307, b"", Location=other.url())) as server:
            agent = ChatAgent(server.url(), model="m", prompt=str, parse=verdict, key_env="GEMINI_KEY")
            with pytest.raises(AdapterError):
                await agent.ask(question())
            return other.seen

    assert asyncio.run(work()) == []


def test_a_certificate_that_nobody_vouches_for_is_permanent_and_may_be_vouched_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever sets the environment is nobody."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert"))
    names = ["-subj", "/CN=council", "-addext", "subjectAltName=IP:127.0.0.1"]
    made = ["-keyout", str(tmp_path / "key"), "-out", str(tmp_path / "cert")]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", *names, *made],
        check=True,
        capture_output=True,
    )
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(tmp_path / "cert", tmp_path / "key")

    async def work(**given: Any) -> Reply:
        async with serving(said(200, completion()), tls=tls) as server:
            agent = ChatAgent(server.url(), model="m", prompt=str, parse=verdict, key_env="GEMINI_KEY", **given)
            return await agent.ask(question())

    with pytest.raises(
        AdapterError, match="has a certificate that is not trusted: self-signed certificate; name the file"
    ):
        asyncio.run(work())
    assert asyncio.run(work(certificates=tmp_path / "cert")).answer == "ok"
    with pytest.raises(ConfigError, match=r"certificates: .*name a file of certificates"):
        ChatAgent("https://x.example", model="m", prompt=str, parse=str, certificates=tmp_path / "nothing")


def test_a_prompt_that_fails_or_makes_nothing_is_the_configurations_fault() -> None:
    for prompt, why in (
        (lambda ask: ask.nothing, "its prompt cannot be made for Ask: AttributeError"),
        (lambda _: [{"role": "user"}], "its prompt made list; expected a text, or a list of dicts"),
        (lambda _: 7, "its prompt made int"),
        (lambda _: [{"role": "user", "content": b"bytes"}], "cannot be written as JSON"),
    ):
        error, server = asking(said(200, completion()), prompt=prompt)
        assert why in error.mistakes[0]
        assert server.seen == []


# --- keys ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        said(200, completion(f"Your key is {KEY}. VERDICT: ok", id=KEY, model=f"m-{KEY}")),
        said(200, completion(f"{KEY} and no verdict")),
        said(401, {"error": {"message": f"wrong: {KEY}"}}),
        said(400, {"message": f"wrong: {KEY}"}),
        said(500, KEY.encode()),
        said(302, b"", Location=f"http://evil.example/{KEY}"),
    ],
)
def test_a_key_is_in_no_reply_no_error_no_log_and_no_object(answer: Answer, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever the other side says. (httpcore logs the headers of answers, if somebody wants its innermost log.)"""
    told: list[str] = []

    async def work() -> None:
        async with serving(answer) as server:
            agent = ChatAgent(server.url(), model="gpt-5", prompt=str, parse=verdict, key_env="GEMINI_KEY")
            try:
                told.append(repr(await agent.ask(question())))
            except AdapterError as error:
                told.extend(error.mistakes)
            told.extend(map(repr, (agent, vars(agent), vars(agent.endpoint))))
            await agent.close()

    with caplog.at_level(logging.DEBUG), caplog.at_level(logging.INFO, "httpcore"):
        asyncio.run(work())
    assert KEY not in "\n".join([*told, caplog.text])
    assert "hush" not in "\n".join([told[0], caplog.text])


def test_a_key_that_is_said_back_would_be_seen_if_it_were_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = said(200, completion(f"Your key is {KEY}. VERDICT: ok"))
    assert asking(answer)[0].text == "Your key is [GEMINI_KEY]. VERDICT: ok"
    monkeypatch.setattr(secret, "HIDDEN_FROM", 1_000)
    assert KEY in asking(answer)[0].text


def test_a_key_that_is_missing_or_none_is_one_line_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GEMINI_KEY")
    error, server = asking(said(200, completion()))
    assert error.mistakes == ("gemini: the variable GEMINI_KEY is not set; put the key into it",)
    monkeypatch.setenv("GEMINI_KEY", "two words\nof-a-key")
    error, server = asking(said(200, completion()))
    assert "holds characters that no key has" in error.mistakes[0]
    assert "two" not in error.mistakes[0]
    assert server.seen == []


def test_no_proxy_is_taken_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert asking(said(200, completion()))[0].answer == "ok"
    assert asking(said(200, completion()), proxy="http://127.0.0.1:9")[0].failure == Failure(ErrorKind.CONNECT)


@pytest.mark.parametrize(
    ("url", "given", "why"),
    [
        ("ftp://x.example/", {}, "expected http:// or https:// and a host"),
        ("https:///v1", {}, "expected http:// or https:// and a host"),
        ("https://x.example:port/", {}, "Port could not be cast"),
        ("https://me:secret@x.example/", {}, "has a name or a password in it"),
        ("https://x.example/#a", {}, "leave out what comes after"),
        ("http://x.example/", {"key_env": "GEMINI_KEY"}, "a key would be sent to x.example in clear; use https"),
        ("https://x.example/a b", {}, "expected an address"),
        ("https://x.example/", {"headers": {"Authorization": "Bearer x"}}, "is not for a configuration"),
        ("https://x.example/", {"headers": {"X-A": "a\r\nX-B: b"}}, "expected one line of plain characters"),
        ("https://x.example/", {"options": {"messages": []}}, "options: messages is not one of them"),
        ("https://x.example/", {"timeout_ms": 0}, "expected whole numbers of 1 or more"),
        ("https://x.example/", {"proxy": "what://x"}, "proxy: expected an address"),
    ],
)
def test_what_can_never_work_is_told_when_the_agent_is_made(url: str, given: dict[str, Any], why: str) -> None:
    with pytest.raises(ConfigError, match=why) as told:
        ChatAgent(url, model="m", prompt=str, parse=str, **given)
    assert "secret" not in str(told.value)
