"""The simulated endpoint, as a client of plain HTTP sees it."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import Any

import pytest

from sim import Program, check, fuzz
from sim.base.errors import ModelError, RefusedError
from sim.live.agents import Asked, Completion, ToolCall, one_of
from sim.live.agents.answers import answering
from sim.live.agents.completion import replies_of
from sim.metrics import TokenUsage
from sim.run.metering import meter
from tests.live.agents.asking import Got, answer, ask, chat, outcome, post
from tests.live.small import replayed

CHAT = "/v1/chat/completions"


def text(got: Got) -> str:
    return str(got.data["choices"][0]["message"]["content"])


async def three() -> list[str]:
    return [text(await post(CHAT, chat(prompt))) for prompt in ("one", "two", "one more")]


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ("yes", ["yes"] * 3),
        (["yes", "no"], ["yes", "no", "no"]),
        ({"one": "1", "": "other"}, ["1", "other", "1"]),
        ({"one": ["1", "2"], "m2": "never", "two": "2"}, ["1", "2", "2"]),
        ({"m": "by model", "one": "1"}, ["by model"] * 3),
        (lambda asked: f"{asked.number} {asked.prompt}", ["1 one", "2 two", "3 one more"]),
    ],
)
def test_whence_answers_come(answers: Any, expected: list[str]) -> None:
    assert outcome(three, answers=answers) == expected


def test_one_connection_carries_one_request_after_the_other_whole_or_in_chunks() -> None:
    async def client() -> list[str]:
        reader, writer = await asyncio.open_connection("agent", 80)
        texts = [text(await ask(reader, writer, CHAT, chat(), chunked=chunked)) for chunked in (False, True, False)]
        writer.close()
        return texts

    assert outcome(client, answers=["1", "2", "3"]) == ["1", "2", "3"]


def test_what_is_no_request_ends_the_connection_and_nothing_else() -> None:
    async def client() -> Any:
        reader, writer = await asyncio.open_connection("agent", 80)
        writer.write(b"nonsense\r\n\r\n")
        ended = await reader.read()
        writer.close()
        return ended, text(await post(CHAT, chat()))

    assert outcome(client, answers="yes") == (b"", "yes")


@pytest.mark.parametrize(
    ("path", "posted", "status", "said"),
    [
        (CHAT, b"{", 400, "the body is not JSON"),
        (CHAT, b"[]", 400, "the body is not an object of JSON"),
        (CHAT, {"model": "m"}, 400, "messages: required"),
        ("/v1/images", chat(), 404, "Unknown request URL: /v1/images"),
    ],
)
def test_what_a_provider_would_reject_is_rejected(path: str, posted: Any, status: int, said: str) -> None:
    async def client() -> Got:
        return await post(path, posted)

    got = outcome(client, answers="yes")
    assert got.status == status
    assert got.data["error"]["message"].startswith(said)
    assert got.data["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    ("answers", "line"),
    [
        (3, r".*: world.serve_openai: 3 \(int\) cannot be answered; write a text"),
        ([], r".*: world.serve_openai: \[\] \(list\) cannot be answered"),
        (["yes", 3], r".*: world.serve_openai: 3 \(int\) is not an answer; write a text"),
        ({"one": "1"}, "the endpoint agent: nothing answers 'two'; the table has 'one'"),
        (lambda _: None, "the endpoint agent: a NoneType is not an answer"),
    ],
)
def test_answers_that_make_no_sense_end_the_run_with_a_line(answers: Any, line: str) -> None:
    with pytest.raises(RefusedError, match=f"^{line}"):
        outcome(three, answers=answers)


def test_tokens_are_counted_or_said() -> None:
    assert Completion("12345").used("1234") == TokenUsage(1, 2)
    assert Completion(calls=[ToolCall("abcd", {})]).used("") == TokenUsage(0, 2)
    assert Completion("yes", usage=TokenUsage(7, 8)).used("1234") == TokenUsage(7, 8)


def test_everything_that_is_read_is_paid_for() -> None:
    asked = Asked(
        "/v1/responses", {"model": "m", "instructions": "abc", "input": [{"role": "user", "content": [{"text": "d"}]}]}
    )
    assert (asked.prompt, asked.everything) == ("d", "abc\nd")
    assert Asked("", {"model": "m", "input": "x", "tools": [{}]}).everything == "x\n[{}]"


# What is chosen -----------------------------------------------------------------------------------------


def test_schedules_choose_between_answers() -> None:
    async def client() -> str:
        return text(await post(CHAT, chat()))

    answers = one_of("yes", "not at all", "yes")
    assert outcome(client, answers=answers) == "yes"
    for word, expected in (("not-at-all", "not at all"), ("yes-2", "yes")):
        assert outcome(client, answers=answers, schedule=[f"deliver agent->client bytes choosing {word}"]) == expected


def agreeing(ask_all: int = 2) -> Program:
    """Wrong: takes it that all agents say the same."""

    async def main(world: Any) -> None:
        world.serve_openai("agent:80", answers=one_of("yes", "no"), name="agent")
        said = {text(await post(CHAT, chat())) for _ in range(ask_all)}
        assert len(said) == 1

    return Program(main)


def test_what_rests_on_one_answer_is_found() -> None:
    found = check(agreeing(), deviations=1).counterexample
    assert found is not None
    (item,) = found.schedule
    assert "choosing no" in item
    assert [len(one.schedule) for one in fuzz(agreeing(), schedules=100).found] == [1]
    assert check(agreeing(1), deviations=1).verdict == "ok"


@pytest.mark.parametrize("serve", ["openai", "anthropic"])
def test_a_stream_is_chosen_as_a_whole(serve: str) -> None:
    path, more = (CHAT, {}) if serve == "openai" else ("/v1/messages", {"max_tokens": 9})

    async def client() -> list[bytes]:
        reader, writer = await asyncio.open_connection("agent", 80)
        bodies = [(await ask(reader, writer, path, chat(stream=True, **more))).body for _ in range(2)]
        writer.close()
        return bodies

    answers = one_of("for sure", "by no means at all")
    one, other = outcome(
        client, answers=answers, schedule=["deliver agent->client bytes choosing by-no-means-at-all"], serve=serve
    )
    assert b" means" in one
    assert b" sure" not in one
    assert b" sure" in other
    assert b" means" not in other


def test_what_is_not_an_answer_is_said() -> None:
    with pytest.raises(ModelError, match=r"^3 \(int\) is not an answer"):
        replies_of(3)
    assert answering("yes")(Asked("", {})).words == ()


# What is refused ----------------------------------------------------------------------------------------


def limited(hint: str) -> list[tuple[int, str | None]]:
    """The status and the hint of requests at once, after a second, and after half a minute."""

    async def client() -> list[tuple[int, str | None]]:
        found = []
        for pause_s in (0, 0, 2, 30):
            await asyncio.sleep(pause_s)
            got = await post(CHAT, chat())
            found.append((got.status, got.headers.get("retry-after")))
        return found

    schedule = [f"deliver agent->client bytes under rate_limited{hint}"]
    found: list[tuple[int, str | None]] = outcome(
        client, answers="yes", schedule=schedule, faults=f"rate_limited:1{hint}"
    )
    return found


def test_a_limit_holds_for_as_long_as_it_says() -> None:
    assert limited("(30s)") == [(429, "30"), (429, "30"), (429, "28"), (200, None)]
    assert limited("") == [(429, None), (429, None), (200, None), (200, None)]


def test_a_limit_is_that_of_a_model() -> None:
    async def client() -> list[int]:
        return [(await post(CHAT, {**chat(), "model": model})).status for model in ("m", "other", "m")]

    schedule = ["deliver agent->client bytes under rate_limited"]
    assert outcome(client, answers="yes", schedule=schedule, faults="rate_limited:1") == [429, 200, 429]


def test_a_late_answer_comes_after_some_time() -> None:
    async def client() -> list[str]:
        reader, writer = await asyncio.open_connection("agent", 80)
        asked = asyncio.create_task(ask(reader, writer, CHAT, chat()))
        seen = []
        for _ in range(3):
            done, _ = await asyncio.wait([asked], timeout=5)
            seen.append(text(asked.result()) if done else "nothing")
        writer.close()
        return seen

    assert outcome(client, answers="yes") == ["yes"] * 3
    late = ["deliver agent->client bytes under agent_timeout"]
    assert outcome(client, answers="yes", schedule=late, faults="agent_timeout:1") == ["nothing", "yes", "yes"]


def test_late_answers_can_be_led_to_again() -> None:
    """Places of equal marks are one to a check: a mark that is out of date ends it with an error."""

    async def main(world: Any) -> None:
        world.serve_openai("agent:80", answers=one_of("yes", "no"), name="agent")

        async def client() -> None:
            asked = [asyncio.create_task(post(CHAT, chat())) for _ in range(2)]
            while (await asyncio.wait(asked, timeout=5))[1]:
                pass

        await asyncio.wait([world.task("client", client())])

    assert check(Program(main, faults="agent_timeout:2"), deviations=2).verdict == "ok"


def test_a_client_that_waits_without_limit_for_a_late_answer_waits_forever() -> None:
    async def client() -> None:
        await post(CHAT, chat())

    late = ["deliver agent->client bytes under agent_timeout"]
    with pytest.raises(AssertionError, match="deadlock"):
        outcome(client, answers="yes", schedule=late, faults="agent_timeout:1")


@pytest.mark.parametrize("fault", ["overloaded", "server_error"])
def test_a_stream_may_end_with_an_error_in_its_midst(fault: str) -> None:
    async def client() -> bytes:
        reader, writer = await asyncio.open_connection("agent", 80)
        got = await ask(reader, writer, CHAT, chat(stream=True))
        again = await ask(reader, writer, CHAT, chat())  # the connection goes on
        writer.close()
        return got.body + text(again).encode()

    midst = [f"deliver agent->client bytes #9 under {fault}"]
    body = outcome(client, answers="a b c d e f g", schedule=midst, faults=f"{fault}:1")
    assert b'"content": "a"' in body
    assert b"[DONE]" not in body
    assert b'{"error": {' in body
    assert body.endswith(b"a b c d e f g")


def test_a_stream_of_a_response_may_end_with_an_event_that_says_what_was_wrong() -> None:
    async def client() -> bytes:
        return (await post("/v1/responses", {"model": "m", "input": "is it?", "stream": True})).body

    midst = ["deliver agent->client bytes #9 under overloaded"]
    body = outcome(client, answers="a b c d e f g", schedule=midst, faults="overloaded:1")
    (last,) = (line for line in body.split(b"\n") if b'"type": "error"' in line)
    assert body.rstrip().endswith(last)
    said = json.loads(last.removeprefix(b"data: "))
    assert (said["type"], said["code"], said["param"]) == ("error", "server_is_overloaded", None)


# That it is noticed where any of this does not hold -----------------------------------------------------


def test_a_limit_that_never_holds_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sim.live.agents.agent_endpoint.Limit.holds", lambda *_: False)
    with pytest.raises(AssertionError):
        test_a_limit_holds_for_as_long_as_it_says()


def test_what_is_still_said_of_a_replaced_answer_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sim.live.net.traffic.Traffic.replace", lambda *_: None)
    with pytest.raises((AssertionError, ValueError)):
        test_a_stream_is_chosen_as_a_whole("openai")


def test_a_late_answer_that_is_not_late_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sim.live.net.traffic.Traffic.delay", lambda *_: None)
    with pytest.raises((AssertionError, RecursionError)):
        test_a_late_answer_comes_after_some_time()


def test_the_helper_reads_what_it_is_given() -> None:
    async def fed() -> Got:
        reader = asyncio.StreamReader()
        reader.feed_data(b"HTTP/1.1 429 Too\r\nA: b\r\nContent-Length: 2\r\n\r\n{}")
        return await answer(reader)

    assert asyncio.run(fed()) == Got(429, {"a": "b", "content-length": "2"}, b"{}")


# What it costs ------------------------------------------------------------------------------------------


def paid(fault: str = "", plan: str = "") -> tuple[int, list[tuple[str, int]]]:
    """The tokens of two answers, and what was wasted of them, of which the first is struck."""

    async def main(world: Any) -> None:
        world.serve_openai("agent:80", answers=Completion("yes", usage=TokenUsage(70, 30)), name="agent")

        async def client() -> None:
            for _ in range(2):
                with suppress(OSError, EOFError, TimeoutError):
                    async with asyncio.timeout(5):
                        await post(CHAT, chat())

        await asyncio.wait([world.task("client", client())])

    schedule = [f"deliver agent->client bytes under {fault}"] if fault else []
    metrics = meter(replayed(main, schedule, faults=f"{fault}:1" if fault else "").trace)
    wasted = [(row.reason, row.share.usage.total_tokens) for row in metrics.snapshot.wasted]
    return metrics.session.running_total.total_tokens, wasted


def test_what_is_answered_is_paid_for() -> None:
    assert paid() == (200, [])
    assert paid("server_error") == (100, [])
    assert paid("agent_timeout") == (200, [("late", 100)])
    assert paid("disconnect") == (200, [("disconnect", 100)])
