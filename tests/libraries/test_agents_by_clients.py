"""The official clients, as they come, parse what the simulated endpoints say, whole and streamed; and what they make of each
fault is what they make of the real one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import anthropic
import openai
import pytest

from sim.live.agents import Completion, ToolCall
from sim.metrics import TokenUsage
from tests.live.small import replayed

WEATHER = Completion(calls=[ToolCall("weather", {"city": "Oslo"})])
TEXT = Completion("yes, of course", usage=TokenUsage(20, 5, cached_input_tokens=8), contrary="no")
ANSWERS = {"weather": WEATHER, "": TEXT}

Client = Any


def said(prompt: str) -> list[Any]:
    return [{"role": "user", "content": prompt}]


def asked(ask: Callable[[Client], Awaitable[Any]], fault: str = "", of: str = "openai", at: str = "") -> Any:
    """What the client gives back as usual, or the error that it raises; with a `fault` where the answer begins, or at the
    `#n`-th part of it where it can strike."""
    outcomes: list[Any] = []

    async def client_task(client: Client) -> None:
        try:
            outcomes.append(await ask(client))
        except Exception as error:
            outcomes.append(error)

    async def main(world: Any) -> None:
        world.serve_openai("openai:80", answers=ANSWERS)
        world.serve_anthropic("anthropic:80", answers=ANSWERS)
        kinds: Any = {"openai": openai.AsyncOpenAI, "anthropic": anthropic.AsyncAnthropic}
        url = f"http://{of}" + ("/v1" if of == "openai" else "")
        async with kinds[of](base_url=url, api_key="none", max_retries=0, timeout=9) as client:
            await asyncio.wait([world.task("client", client_task(client))])

    schedule = [f"deliver {of}->client bytes{at} under {fault}"] if fault else []
    plan = f"{fault.partition('(')[0]}:1" + (f"({fault.partition('(')[2]}" if "(" in fault else "")
    run = replayed(main, schedule, faults=plan if fault else "")
    assert run.finding is None, run.finding
    return outcomes[-1]


# What they parse ----------------------------------------------------------------------------------------


def test_a_completion() -> None:
    async def ask(client: Client) -> Any:
        return await client.chat.completions.create(model="gpt-4o", messages=said("is it?"))

    answer = asked(ask)
    assert answer.choices[0].message.content == "yes, of course"
    assert (answer.model, answer.choices[0].finish_reason) == ("gpt-4o", "stop")
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.total_tokens) == (20, 5, 25)
    assert answer.usage.prompt_tokens_details.cached_tokens == 8
    assert answer._request_id.startswith("req_")
    assert TokenUsage.from_openai(answer) == TEXT.usage


def test_what_is_said_with_it() -> None:
    async def ask(client: Client) -> Any:
        return (await client.chat.completions.with_raw_response.create(model="gpt-4o", messages=said("is it?"))).headers

    headers = asked(ask)
    assert int(headers["x-ratelimit-remaining-requests"]) < int(headers["x-ratelimit-limit-requests"])


def test_a_tool_is_called() -> None:
    async def ask(client: Client) -> Any:
        return await client.chat.completions.create(model="gpt-4o", messages=said("the weather?"))

    choice = asked(ask).choices[0]
    (call,) = choice.message.tool_calls
    assert (choice.finish_reason, choice.message.content) == ("tool_calls", None)
    assert (call.type, call.function.name, call.function.arguments) == ("function", "weather", '{"city": "Oslo"}')


@pytest.mark.parametrize("prompt", ["is it?", "the weather?"])
def test_a_stream_of_completions(prompt: str) -> None:
    async def ask(client: Client) -> Any:
        chunks = await client.chat.completions.create(
            model="gpt-4o", messages=said(prompt), stream=True, stream_options={"include_usage": True}
        )
        return [chunk async for chunk in chunks]

    *chunks, last = asked(ask)
    deltas = [chunk.choices[0].delta for chunk in chunks]
    assert (last.choices, last.usage.total_tokens) == ([], 25 if prompt == "is it?" else last.usage.total_tokens)
    if prompt == "is it?":
        assert "".join(delta.content or "" for delta in deltas) == "yes, of course"
        assert len([delta for delta in deltas if delta.content]) == 3
    else:
        parts = [delta.tool_calls[0].function for delta in deltas if delta.tool_calls]
        assert "".join(part.arguments for part in parts) == '{"city": "Oslo"}'
        assert parts[0].name == "weather"


def test_a_stream_without_usage_has_none() -> None:
    async def ask(client: Client) -> Any:
        chunks = await client.chat.completions.create(model="gpt-4o", messages=said("is it?"), stream=True)
        return [chunk async for chunk in chunks]

    assert all(chunk.usage is None and chunk.choices for chunk in asked(ask))


@pytest.mark.parametrize("prompt", ["is it?", "the weather?"])
def test_a_response_whole_and_streamed(prompt: str) -> None:
    async def ask(client: Client) -> Any:
        whole = await client.responses.create(model="gpt-4o", input=prompt)
        async with client.responses.stream(model="gpt-4o", input=prompt) as stream:
            kinds = [event.type async for event in stream]
            return whole, kinds, await stream.get_final_response()

    whole, kinds, streamed = asked(ask)
    assert (kinds[0], kinds[-1]) == ("response.created", "response.completed")
    for answer in (whole, streamed):
        assert answer.status == "completed"
        if prompt == "is it?":
            assert (answer.output_text, answer.usage.total_tokens) == ("yes, of course", 25)
            assert TokenUsage.from_openai(answer) == TEXT.usage
        else:
            assert (answer.output[0].name, answer.output[0].arguments) == ("weather", '{"city": "Oslo"}')


def test_embeddings() -> None:
    async def ask(client: Client) -> Any:
        return await client.embeddings.create(model="text-embedding-3-small", input=["one", "two", "one"])

    answer = asked(ask)
    one, two, again = (each.embedding for each in answer.data)
    assert one == again != two
    assert sum(part * part for part in one) == pytest.approx(1)
    assert answer.usage.prompt_tokens == 3


@pytest.mark.parametrize("prompt", ["is it?", "the weather?"])
def test_a_message_whole_and_streamed(prompt: str) -> None:
    async def ask(client: Client) -> Any:
        whole = await client.messages.create(model="claude", max_tokens=99, messages=said(prompt))
        async with client.messages.stream(model="claude", max_tokens=99, messages=said(prompt)) as stream:
            return whole, await stream.get_final_message()

    whole, streamed = asked(ask, of="anthropic")
    assert whole._request_id.startswith("req_")
    for answer in (whole, streamed):
        (block,) = answer.content
        if prompt == "is it?":
            assert (block.text, answer.stop_reason) == ("yes, of course", "end_turn")
            assert (answer.usage.input_tokens, answer.usage.cache_read_input_tokens) == (12, 8)
            assert TokenUsage.from_anthropic(answer) == TEXT.usage
        else:
            assert (block.name, block.input, answer.stop_reason) == ("weather", {"city": "Oslo"}, "tool_use")


def test_what_is_wrong_with_a_request_is_said() -> None:
    async def nothing(client: Client) -> Any:
        return await client.chat.completions.create(model="gpt-4o", messages=[])

    async def elsewhere(client: Client) -> Any:
        return await client.models.list()

    async def nobody(client: Client) -> Any:
        return await client.messages.create(model="claude", max_tokens=9, messages=[])

    assert isinstance(asked(nothing), openai.BadRequestError)
    assert isinstance(asked(elsewhere), openai.NotFoundError)
    assert isinstance(asked(nobody, of="anthropic"), anthropic.BadRequestError)


# What they make of faults -------------------------------------------------------------------------------


async def complete(client: Client) -> Any:
    return await client.chat.completions.create(model="gpt-4o", messages=said("is it?"))


async def message(client: Client) -> Any:
    return await client.messages.create(model="claude", max_tokens=9, messages=said("is it?"))


@pytest.mark.parametrize(
    ("fault", "error", "status"),
    [
        ("rate_limited", openai.RateLimitError, 429),
        ("rate_limited(30s)", openai.RateLimitError, 429),
        ("server_error", openai.InternalServerError, 500),
        ("overloaded", openai.InternalServerError, 503),
        ("agent_timeout", openai.APITimeoutError, None),
        ("disconnect", openai.APIConnectionError, None),
        ("malformed", json.JSONDecodeError, None),
    ],
)
def test_openai_raises_what_it_raises(fault: str, error: type[Exception], status: int | None) -> None:
    raised = asked(complete, fault)
    assert isinstance(raised, error)
    assert getattr(raised, "status_code", None) == status
    if status is not None:
        assert raised.response.headers.get("retry-after") == ("30" if "(" in fault else None)
        assert raised.request_id.startswith("req_")
        assert raised.type in ("requests", "server_error", "service_unavailable_error")


@pytest.mark.parametrize(
    ("fault", "error", "status", "kind"),
    [
        ("rate_limited(30s)", anthropic.RateLimitError, 429, "rate_limit_error"),
        ("server_error", anthropic.InternalServerError, 500, "api_error"),
        ("overloaded", anthropic.InternalServerError, 529, "overloaded_error"),
        ("agent_timeout", anthropic.APITimeoutError, None, None),
        ("disconnect", anthropic.APIConnectionError, None, None),
        ("malformed", json.JSONDecodeError, None, None),
    ],
)
def test_anthropic_raises_what_it_raises(
    fault: str, error: type[Exception], status: int | None, kind: str | None
) -> None:
    raised = asked(message, fault, of="anthropic")
    assert isinstance(raised, error)
    assert getattr(raised, "status_code", None) == status
    if status is not None:
        assert raised.body["error"]["type"] == kind
        assert raised.response.headers.get("retry-after") == ("30" if "(" in fault else None)


def test_an_empty_answer_is_one_and_its_contrary_is_another() -> None:
    assert asked(complete, "empty_response").choices[0].message.content == ""
    assert asked(complete, "contradiction").choices[0].message.content == "no"
    assert asked(message, "empty_response", of="anthropic").content == []
    assert asked(message, "contradiction", of="anthropic").content[0].text == "no"


def test_ids_may_be_repeated() -> None:
    async def twice(client: Client) -> Any:
        return [await complete(client) for _ in range(2)]

    one, other = asked(twice)
    assert (one.id, one._request_id) != (other.id, other._request_id)
    one, other = asked(twice, "repeated_id")
    assert (one.id, one._request_id) == (other.id, other._request_id)


async def stream(client: Client) -> Any:
    """The texts that came, and what ended them."""
    got = []
    try:
        chunks = await client.chat.completions.create(model="gpt-4o", messages=said("is it?"), stream=True)
        async for chunk in chunks:
            got += [chunk.choices[0].delta.content]
    except Exception as error:
        return got, error
    return got, None


async def stream_message(client: Client) -> Any:
    got = []
    try:
        async with client.messages.stream(model="claude", max_tokens=9, messages=said("is it?")) as events:
            async for text in events.text_stream:
                got += [text]
    except Exception as error:
        return got, error
    return got, None


def test_a_stream_is_broken_off_with_an_error() -> None:
    got, error = asked(stream, "overloaded", at=" #8")
    assert got == ["", "yes,"]
    assert (type(error), error.body["type"], error.code) == (
        openai.APIError,
        "service_unavailable_error",
        "server_is_overloaded",
    )
    got, error = asked(stream_message, "overloaded", of="anthropic", at=" #11")
    assert got == ["yes,"]
    assert isinstance(error, anthropic.APIStatusError)
    assert error.body["error"]["type"] == "overloaded_error"


async def stream_response(client: Client) -> Any:
    return [event async for event in await client.responses.create(model="gpt-4o", input="is it?", stream=True)]


def test_an_error_in_the_midst_of_a_response_is_an_event_that_nothing_raises() -> None:
    usual, broken = asked(stream_response), asked(stream_response, "overloaded", at=" #10")
    assert [event.type for event in broken[:-1]] == [event.type for event in usual[: len(broken) - 1]]
    assert 2 < len(broken) < len(usual)
    assert (broken[-1].type, broken[-1].code, broken[-1].param) == ("error", "server_is_overloaded", None)
    assert broken[-1].sequence_number > broken[-2].sequence_number


def test_a_stream_is_cut() -> None:
    got, error = asked(stream, "disconnect", at=" #8")
    assert got == ["", "yes,"]
    assert type(error) is openai.APIConnectionError
    got, error = asked(stream_message, "disconnect", of="anthropic", at=" #11")
    assert (got, type(error).__name__) == (["yes,"], "ReadError")  # of the client below


def test_an_event_that_is_no_json() -> None:
    for of, ask in (("openai", stream), ("anthropic", stream_message)):
        got, error = asked(ask, "malformed", of=of)
        assert got
        assert isinstance(error, json.JSONDecodeError)


# Where they find them -----------------------------------------------------------------------------------


def test_clients_as_they_come_reach_the_provider_by_its_name_over_tls() -> None:
    found = []

    async def client_task() -> None:
        async with openai.AsyncOpenAI(api_key="none") as one, anthropic.AsyncAnthropic(api_key="none") as other:
            found.append((await complete(one)).choices[0].message.content)
            found.append((await message(other)).content[0].text)

    async def main(world: Any) -> None:
        world.serve_openai(answers="yes")
        world.serve_anthropic(answers="no")
        await asyncio.wait([world.task("client", client_task())])

    assert replayed(main, []).finding is None
    assert found == ["yes", "no"]
    late = "deliver openai->client bytes under rate_limited(5s)"
    assert replayed(main, [late], faults="rate_limited:1(5s)").finding is None
    assert found[2:] == ["yes", "no"], "the client waits as it is told, and tries again"


@pytest.mark.parametrize(
    ("of_openai", "of_anthropic"),
    [
        ("http://openai/v1", "http://anthropic"),
        ("https://api.openai.com/v1", "https://api.anthropic.com"),
    ],
)
def test_clients_without_asyncio_in_threads(of_openai: str, of_anthropic: str) -> None:
    found = []

    def ask() -> None:
        with openai.OpenAI(base_url=of_openai, api_key="none", max_retries=1) as client:
            answer = client.chat.completions.create(model="gpt-4o", messages=said("is it?"))
            found.append(answer.choices[0].message.content)
        other = anthropic.Anthropic(base_url=of_anthropic, api_key="none")
        asked = {"model": "claude", "max_tokens": 9, "messages": said("is it?")}
        with other, other.messages.stream(**asked) as stream:
            found.append(stream.get_final_text())

    async def main(world: Any) -> None:
        for address in ("openai:80", "api.openai.com:443"):
            world.serve_openai(address, answers="yes")
        for address in ("anthropic:80", "api.anthropic.com:443"):
            world.serve_anthropic(address, answers="no")
        await asyncio.gather(*(asyncio.to_thread(ask) for _ in range(2)))

    assert replayed(main, []).finding is None
    assert sorted(found) == ["no", "no", "yes", "yes"]
