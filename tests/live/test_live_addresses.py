"""Addresses of what programs do: what is written is read again as it was, and says where, after what, and which time."""

from __future__ import annotations

import pytest

from sim import ConfigError
from sim.world import address as module
from sim.world.address import Address, parse_address

TEXTS = [
    "turn",
    "resume client#2 at Pool.acquire",
    "resume callbacks",
    "cancel client",
    "cancel client#2/fetch at Pool.acquire",
    "cancel main/idle at start after resume client at Pool.release",
    "cancel client at Pool.acquire #3",
    "stop main",
    "stop main after fire main.sleep",
    "deliver redis->client 13 bytes",
    "deliver redis->client bytes",
    "deliver redis->client#2 13 bytes #2",
    "deliver redis->client 13 bytes after deliver redis->client#2 13 bytes",
    "deliver a->b 7 datagram",
    "deliver redis->client 13 bytes(connection=2)",
    "deliver redis->client end(connection=2)",
    "split redis->client 13 bytes(connection=2) #2",
    "deliver redis->client end",
    "deliver server->client 13 bytes under agent_timeout",
    "deliver server->client 13 bytes under rate_limited(30s)",
    "split redis->client 13 bytes",
    "drop a->b 7 datagram",
    "duplicate a->b 7 datagram #2",
    "connect client->redis",
    "refuse client->redis after resume client at main",
    "reset client->redis",
    "cut client->redis",
    "cut client->redis for good",
    "cut client->redis for good after resume client at talk",
    "heal client->redis after cut client->redis",
    "crash redis",
    "crash redis for good after resume client at talk",
    "restart redis",
    "fire main/idle#2.sleep",
    "fire client.Protocol.timeout_reached",
]


@pytest.mark.parametrize("text", TEXTS)
def test_what_is_written_is_read_again(text: str) -> None:
    found = parse_address(text)
    assert str(found) == text
    assert found.fits(found)


def test_an_after_that_is_not_known_as_one_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_AFTER", module.re.compile(r"(?<!crashing)(?<!good)\s+after\s+(?=(?:resume)(?:\s|$))"))
    broken = []
    for text in TEXTS:
        try:
            if str(parse_address(text)) != text or (" after " in text) != bool(parse_address(text).after):
                broken.append(text)
        except ConfigError:
            broken.append(text)
    assert "crash redis for good after resume client at talk" in broken
    assert "heal client->redis after cut client->redis" in broken


OF_MODELS = [
    "deliver gemini->coordinator Response(round=1, attempt=2) #2 choosing ok crashing after Store",
    "deliver a->b Ask crashing for good after Store",
    "deliver a->b Ask crashing with machine for good after Store",
    "deliver a->b Ask crashing after writing x and sending Ask",
    "restart worker crashing after Ask",
    "crash coordinator for good",
    "drop a->b Ask paid by drop@a",
    "fire coordinator.retry",
    "start choosing left, 3",
]


@pytest.mark.parametrize("text", OF_MODELS)
def test_those_of_models_are_as_they_were(text: str) -> None:
    found = parse_address(text)
    assert (str(found), found.after, found.where) == (text, "", "")


@pytest.mark.parametrize(
    ("pattern", "fits", "fits_not"),
    [
        ("cancel client", ["cancel client at Pool.acquire"], ["cancel client#2 at Pool.acquire", "stop client"]),
        ("cancel client#1", ["cancel client at x"], ["cancel client#2 at x"]),
        ("cancel client at Pool.acquire", ["cancel client at Pool.acquire"], ["cancel client at Pool.release"]),
        (
            "cancel client after resume client#2",
            ["cancel client at x after resume client#2 at Pool.release"],
            ["cancel client at x after resume client at Pool.release", "cancel client at x"],
        ),
        ("deliver redis->client bytes", ["deliver redis->client 13 bytes"], ["deliver client->redis 13 bytes"]),
        ("deliver redis->client 13 bytes", ["deliver redis->client 13 bytes"], ["deliver redis->client 14 bytes"]),
        (
            "deliver s->c bytes under rate_limited",
            ["deliver s->c 3 bytes under rate_limited(30s)"],
            ["deliver s->c 3 bytes"],
        ),
        ("crash redis", ["crash redis after resume a at b"], ["crash redis for good"]),
    ],
)
def test_a_pattern_may_leave_out_what_is_plain(pattern: str, fits: list[str], fits_not: list[str]) -> None:
    found = parse_address(pattern)
    assert [text for text in [*fits, *fits_not] if found.fits(parse_address(text))] == fits


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("cancel", "'cancel': write cancel task at place, such as cancel client#2 at Pool.acquire"),
        ("stop main at x y", "'y' is not understood; an action may be followed by"),
        ("connect redis", "write connect source->target, such as connect client->redis"),
        ("reset", "write reset source->target"),
        ("turn around", "'around' is not understood"),
        ("cancel client after turn round", "'round' is not understood"),
    ],
)
def test_what_is_none_is_told_in_one_line(text: str, mistake: str) -> None:
    with pytest.raises(ConfigError) as told:
        parse_address(text)
    (line,) = told.value.mistakes
    assert mistake in line


def test_fields_that_are_left_out_are_none_of_a_program() -> None:
    assert parse_address("resume client at x") == Address("resume", process="client", where="x")
