"""The worst schedule of a fuzz: it is the one that comes to most, nothing is left in it that does not make it so, and its file
comes to the same."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import models.consensus
from sim import FuzzResult, Program, emit, fuzz, simulate
from sim.base.errors import ConfigError
from sim.cli import call
from sim.fuzzer import worst as measuring
from sim.machine.used import Used
from sim.metrics.settings import MetricsSettings
from sim.minimiser.counterexample_file import CounterexampleFile
from sim.report.fuzzed import worst_lines
from sim.run.metering import meter
from sim.scenario import load_scenario
from sim.strategy import Canonical
from sim.world.world import world_of

ATTEMPTS = 3
TARGET = "tests.explore.test_worst"
PRICES = {"dear": {"input": 10, "output": 10}, "cheap": {"input": 1, "output": 1}}
PRICED = MetricsSettings(prices=PRICES)


async def _asking(world: Any) -> None:
    """An attempt that lasts too long is followed by another, and each that is answered is paid for."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if await reader.readline():
            emit(Used("", "", "cheap", 1, 100, 10))
            writer.write(b"yes\n")
        writer.close()

    async def ask() -> None:
        reader, writer = await asyncio.open_connection("agent", 80)
        writer.write(b"which?\n")
        await reader.readline()
        writer.close()

    world.serve("agent:80", answer)
    attempts: list[asyncio.Task[None]] = []
    for _ in range(ATTEMPTS):
        attempts.append(asyncio.create_task(ask()))
        done, _ = await asyncio.wait(attempts, timeout=10)
        if done:
            break
    await asyncio.gather(*attempts)
    emit(Used("", "", "dear", 1, 50, 5))


def system() -> Program:
    return Program(_asking)


def test_the_worst_is_what_comes_to_most_and_nothing_is_left_that_does_not_make_it_so() -> None:
    result = fuzz(system(), schedules=100, worst="tokens", keep_going=True)
    worst = result.worst
    assert worst is not None
    assert worst.usual == 110 + 55
    assert worst.amount == ATTEMPTS * 110 + 55
    assert len(worst.discovery.schedule) == ATTEMPTS - 1, "so many are given up too early"
    assert worst.sentence == "385 tokens, 2.3 times the usual 165 tokens"
    assert worst.usual <= worst.middle <= worst.amount


def test_what_is_measured_makes_the_difference() -> None:
    latency = fuzz(system(), schedules=100, worst="latency", keep_going=True).worst
    assert latency is not None
    assert (latency.usual, latency.amount) == (0, 10_000 * ATTEMPTS)
    cost = fuzz(system(), schedules=100, worst="cost", keep_going=True, metrics=PRICED).worst
    assert cost is not None
    assert cost.usual == Decimal("0.00066")
    assert cost.amount == Decimal("0.00088")


def test_less_than_the_worst_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The planted fault: every schedule is taken for the usual one, so none is worse."""
    monkeypatch.setitem(measuring.MEASURES, "tokens", lambda *_: 165)
    worst = fuzz(system(), schedules=100, worst="tokens", keep_going=True).worst
    assert worst is not None
    assert worst.sentence == "165 tokens, which is the usual: no schedule came to more"
    assert worst.discovery.schedule == ()


def test_its_file_comes_to_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["fuzz", TARGET, "--schedules", "100", "--worst", "tokens", "--out", str(tmp_path), "--keep-going"]
    assert call(words) == 0
    out = capsys.readouterr().out
    assert "\nworst tokens  385 tokens, 2.3 times the usual 165 tokens; half of the schedules come to at most " in out
    (path,) = tmp_path.iterdir()
    assert path.name == "tests.explore.test_worst-worst-tokens.yaml"
    assert call(["run", str(path), "--model", TARGET, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["metrics"]["running_total"]["total_tokens"] == 385
    assert call([*words, "--json"]) == 0
    data = json.loads(capsys.readouterr().out)["worst"]
    assert (data["measure"], data["amount"], data["usual"], data["ratio"]) == ("tokens", 385, 165, 2.333333)
    assert data["scenario"] == str(path)


def test_a_violation_does_not_end_it_and_the_first_is_kept() -> None:
    result = fuzz(models.consensus.system(sequencing=False), schedules=60, worst="tokens")
    assert (result.schedules, result.stopped, len(result.found)) == (60, False, 1)
    first = fuzz(models.consensus.system(sequencing=False), schedules=60)
    assert first.schedules < 60
    assert result.found[0].number == first.found[0].number


@pytest.mark.parametrize(("amounts", "middle"), [([3, 1, 1], 1), ([5, 1, 5], 5), ([2, 1, 3], 2), ([4], 4)])
def test_half_of_the_schedules_come_to_no_more_than_the_middle(amounts: list[int], middle: int) -> None:
    came = iter([0, *amounts])
    with pytest.MonkeyPatch.context() as patched:
        patched.setitem(measuring.MEASURES, "tokens", lambda *_: next(came))
        so_far = measuring.WorstSoFar(world_of(models.consensus.system()), "tokens", None, 50)
        for number in range(len(amounts)):
            so_far.note(simulate(models.consensus.system(), Canonical()), Canonical(), number)
    assert so_far._middle() == middle


async def _forever(_: Any) -> None:
    while True:
        await asyncio.sleep(1)


def test_of_one_that_never_ends_nothing_is_expected_and_that_is_said() -> None:
    endless, endless_too = (
        fuzz(Program(main), schedules=2, worst="latency", max_steps=60).worst for main in (_forever, _asking)
    )
    assert endless is not None
    assert endless_too is not None
    assert (endless.verdict, endless.expected) == ("incomplete", {})
    never = "it does not come to its end"
    assert any(line.startswith(never) for line in worst_lines(endless, CounterexampleFile("a.yaml", "sim run a.yaml")))
    assert endless_too.expected == {"verdict": "ok"}
    assert not any(line.startswith(never) for line in worst_lines(endless_too, CounterexampleFile("", "")))


def test_an_interrupted_fuzz_has_the_worst_so_far() -> None:
    def interrupt(so_far: FuzzResult) -> None:
        if so_far.schedules == 60:
            raise KeyboardInterrupt

    result = fuzz(system(), worst="tokens", progress=interrupt)
    assert result.interrupted
    assert result.worst is not None
    assert result.worst.amount > result.worst.usual
    assert not result.worst.discovery.counterexample.complete


def test_of_a_model_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    worst = fuzz(models.consensus.system(), schedules=200, worst="tokens", keep_going=True).worst
    assert worst is not None
    assert worst.amount > worst.usual > 0
    words = ["fuzz", "models.consensus", "--schedules", "200", "--worst", "tokens", "--out", str(tmp_path)]
    assert call(words) == 0
    capsys.readouterr()
    (path,) = tmp_path.iterdir()
    assert load_scenario(path).expect.verdict == "ok"
    assert call(["run", str(path)]) == 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["models.consensus", "--worst", "latency"], "a model has no clock"),
        (
            ["models.consensus", "--worst", "cost"],
            "nothing has a price; name the model of each agent in metrics.models",
        ),
        (["models.consensus", "--worst", "time"], "--worst time: unknown measure 'time'"),
        (["models.consensus", "--worst", "cost", "--workers", "2"], "leave out --workers and --engine"),
        ([TARGET, "--worst", "cost"], "cheap and dear have no known price; give it in metrics.prices of a scenario"),
    ],
)
def test_what_cannot_be_measured_is_said_in_one_line(
    words: list[str], says: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert call(["fuzz", *words, "--schedules", "5", "--out", str(tmp_path)]) == 2
    err = capsys.readouterr().err
    assert says in err
    assert err.count("\n") == 1


def test_the_compiled_engine_measures_nothing() -> None:
    with pytest.raises(ConfigError, match="the compiled engine measures nothing"):
        fuzz(models.consensus.system(), engine="compiled", worst="tokens")


def test_the_agents_of_a_program_have_the_prices_of_their_models() -> None:
    async def main(_: Any) -> None:
        emit(Used("", "", "gpt-4o", 1, 1_000_000, 0))

    run = simulate(Program(main), Canonical())
    cost = meter(run.trace).cost
    assert cost is not None
    assert cost.total.usd == Decimal("2.5")
