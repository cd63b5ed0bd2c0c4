"""The decorator `explore`, as a user's suite runs it: in a folder of its own, in a process of its own."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from sim.base.errors import SimError
from sim.testing import explore
from tests.testing.test_pytest_plugin import Suite

HEAD = """\
import asyncio
import pytest
from sim import Emission, Monitor, always, emit, explore

class Pool:
    careful = False
    in_use = 0

    async def use(self):
        self.in_use += 1
        try:
            await asyncio.sleep(0.01)
        except asyncio.CancelledError:
            self.in_use -= self.careful
            raise
        self.in_use -= 1

async def use_twice(world, pool):
    await asyncio.wait([world.task("client", pool.use()) for _ in range(2)])
"""
LEAK = """
@explore(faults="cancel:1@client")
async def test_pool(world):
    pool = Pool()
    await use_twice(world, pool)
    assert pool.in_use == 0
"""
MENDED = LEAK.replace("pool = Pool()", "pool = Pool(); pool.careful = True")
KEPT = "counterexamples/test_shop.py-test_pool-main.yaml"


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    return Suite(tmp_path)


def runs(suite: Suite, test: str, *options: str) -> subprocess.CompletedProcess[str]:
    """pytest on `test`, below what all tests here share."""
    return suite.run(HEAD + test, *options)


def test_a_violation_fails_with_its_own_assertion_and_with_what_leads_there(suite: Suite) -> None:
    done = runs(suite, LEAK)
    assert done.returncode == 1, done.stdout + done.stderr
    for line in (
        ">       assert pool.in_use == 0",
        "E       assert 1 == 0",
        "E       As usual, except:",
        "is cancelled while it waits in Pool.use (test_shop.py:14)",
        "1. cancel client",
        f"E       kept in {KEPT}",
        "E       replay it with: pytest test_shop.py::test_pool",
        "FAILED test_shop.py::test_pool - assert 1 == 0",
    ):
        assert line in done.stdout, done.stdout
    assert "sim/testing" not in done.stdout, "the traceback ends in the test"
    kept = (suite.folder / KEPT).read_text()
    assert "# main: it fails with AssertionError: assert 1 == 0" in kept
    assert "(test_shop.py:27)\n" in kept
    assert "0x" not in kept


def test_the_same_test_of_code_that_is_mended_passes(suite: Suite) -> None:
    done = runs(suite, MENDED)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout
    assert not (suite.folder / "counterexamples").exists()


def test_what_was_kept_is_run_first_by_the_command_that_the_failure_names(suite: Suite) -> None:
    first = runs(suite, LEAK)
    command = re.search(r"replay it with: (pytest .*)", first.stdout)
    assert command is not None
    never = LEAK.replace('@client"', '@client", schedules=1, strategy="virtual_time"')
    words = shlex.split(command[1])[1:]
    again = runs(suite, never, *words)
    assert again.returncode == 1, again.stdout
    assert "E       (it was found before)" in again.stdout
    assert again.stdout.count("1. cancel client") == 1
    (suite.folder / KEPT).unlink()
    assert runs(suite, never, *words).returncode == 0, "of one schedule without a fault nothing is found"


def test_what_was_kept_is_passed_over_once_it_does_not_fit_or_all_is_well(suite: Suite) -> None:
    runs(suite, LEAK)
    kept = (suite.folder / KEPT).read_text()
    assert runs(suite, MENDED).returncode == 0
    assert runs(suite, LEAK.replace('faults="cancel:1@client"', "")).returncode == 0, "there is no such fault any more"
    assert "found before" not in runs(suite, LEAK.replace("test_pool", "test_po")).stdout, "of another test"
    assert (suite.folder / KEPT).read_text() == kept, "the file is its owner's"
    (suite.folder / KEPT).write_text("schedule: [fly a->b]\n")
    broken = runs(suite, MENDED)
    assert broken.returncode == 1
    assert f"{KEPT}:1:12: " in broken.stdout


def test_sim_run_says_that_a_schedule_of_a_test_is_run_by_the_test(suite: Suite) -> None:
    runs(suite, LEAK)
    words = [sys.executable, "-m", "sim", "run", KEPT]
    done = subprocess.run(words, cwd=suite.folder, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert "use pytest test_shop.py::test_pool" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_is_wrong_elsewhere_is_told_without_a_line_of_the_test(suite: Suite) -> None:
    done = runs(suite, "@explore()\nasync def test_stuck(world):\n    await asyncio.Event().wait()\n")
    assert done.returncode == 1
    told = "deadlock is violated: nothing can happen any more, and main waits in test_stuck (test_shop.py:24) on Event.wait"
    assert f"\n{told}" in done.stdout, done.stdout
    assert "exploring.py" not in done.stdout
    assert "hidden" not in done.stdout


SHAPES = """
@pytest.fixture
def size():
    with open("made", "a") as made:
        made.write("once\\n")
    return 2

class TestPool:
    bound = 0

    @pytest.mark.parametrize("spare", [0, 1])
    @explore(faults="cancel:1@client", schedules=20)
    async def test_method(self, size, spare, world, tmp_path):
        pool = Pool()
        await asyncio.wait([world.task("client", pool.use()) for _ in range(size)])
        assert tmp_path.is_dir() and pool.in_use <= self.bound + spare

    @staticmethod
    @explore(schedules=20)
    async def test_static(world):
        await asyncio.sleep(1)

    @explore()
    @pytest.mark.parametrize("ready", [False, True])
    async def test_says(self, ready, world):
        pytest.xfail("not yet") if ready else pytest.skip("not here")

@explore(faults="cancel:1@client", violates="main")
async def test_twin(world):
    pool = Pool()
    await use_twice(world, pool)
    assert pool.in_use == 0

def test_fixture(explore):
    explore(system).check(violates="charged_once")
"""


@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["one process", "xdist"])
def test_methods_fixtures_parameters_and_outcomes_are_those_of_any_test(options: tuple[str, ...], suite: Suite) -> None:
    done = runs(suite, SHAPES, *options)
    assert "1 failed, 4 passed, 1 skipped, 1 xfailed" in done.stdout, done.stdout
    assert "replay it with: pytest 'test_shop.py::TestPool::test_method[0]'" in done.stdout
    assert (suite.folder / "made").read_text() == "once\n" * 2, "a fixture is made once for all runs of a test"
    assert "2 passed" in runs(suite, SHAPES, "-k", "twin or fixture", *options).stdout


def test_pytest_ends_at_the_first_failure_if_told_to(suite: Suite) -> None:
    assert "1 failed in" in runs(suite, LEAK + LEAK.replace("test_pool", "test_second"), "-x").stdout


def test_a_bug_that_is_expected_must_be_there(suite: Suite) -> None:
    done = runs(suite, MENDED.replace('@client"', '@client", violates="main"'))
    assert done.returncode == 1
    assert "expected main to be violated, but nothing is" in done.stdout


CHECKED = LEAK.replace('@client"', '@client", deviations=1')


def test_with_deviations_it_is_checked_and_not_fuzzed(suite: Suite) -> None:
    done = runs(suite, CHECKED)
    assert done.returncode == 1, done.stdout
    assert re.search(r"E       \(sim check found it among \d+ schedules\)", done.stdout), done.stdout
    assert runs(suite, CHECKED.replace("pool = Pool()", "pool = Pool(); pool.careful = True")).returncode == 0
    assert runs(suite, CHECKED.replace("deviations=1", "deviations=0")).returncode == 1, "it was found before"
    (suite.folder / KEPT).unlink()
    assert runs(suite, CHECKED.replace("deviations=1", "deviations=0")).returncode == 0, "the usual order is sound"


MONITORED = """
class Used(Emission):
    slots: int

class Bounded(Monitor):
    states = ("on",)
    transitions = ({"trigger": Used, "source": "on", "dest": None, "after": "count"},)

    def count(self, used):
        if used.slots > 1:
            self.violate(f"{used.slots} slots are used")

@explore(monitors={"bounded": Bounded()}, violates="bounded")
async def test_monitor(world):
    emit(Used(1))
    emit(Used(2))

@explore(properties=[always("bound", lambda pool: pool.in_use < 2)], violates="bound")
async def test_property(world):
    pool = Pool()
    world.watch("pool", pool)
    await use_twice(world, pool)
"""


def test_monitors_and_properties_judge_a_test(suite: Suite) -> None:
    done = runs(suite, MONITORED)
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout


HELD = """
async def confirms(world, order):
    bank = world.recorder.process("bank")
    bank.received("customer", "Pay", {"order": 1})
    bank.emitted("Charged", {"order": 1})
    bank.sent("customer", "Paid", {"order": order})

@explore(conforms=system(), observe=["bank"], schedules=5)
async def test_bank(world):
    await confirms(world, 1)

@explore(conforms=system(), observe=["bank"], schedules=5, violates="conforms")
async def test_another(world):
    await confirms(world, 2)
"""


def test_a_test_is_held_against_a_model(suite: Suite) -> None:
    done = runs(suite, HELD)
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout


BESIDE = """
pytestmark = [pytest.mark.asyncio, pytest.mark.anyio]

@explore(schedules=20)
async def test_explored(world):
    await asyncio.sleep(100)

async def test_own():
    await asyncio.sleep(0)
"""


@pytest.mark.parametrize("mode", ["strict", "auto", "anyio"])
def test_other_plugins_run_their_own_async_tests_and_leave_ours_alone(mode: str, suite: Suite) -> None:
    if mode == "anyio":
        marked, options = BESIDE.replace("pytest.mark.asyncio, ", ""), ["-k", "not trio"]
    else:
        suite.ini("asyncio_default_fixture_loop_scope = function")
        marked, options = BESIDE.replace(", pytest.mark.anyio", ""), [f"--asyncio-mode={mode}"]
    done = runs(suite, marked, *options)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout, done.stdout


def test_without_a_plugin_of_its_own_an_async_test_fails_and_ours_does_not(suite: Suite) -> None:
    """The planted fault: the very module, and nobody who runs its other test."""
    done = runs(suite, re.sub("^pytestmark.*$", "", BESIDE, flags=re.M), "-p", "no:anyio")
    assert "1 failed, 1 passed" in done.stdout, done.stdout


async def ready(world: object) -> None:
    """A test without a fault."""


async def alone() -> None:
    """A test that asks for no world."""


def test_a_mistake_is_one_line_when_the_module_is_read() -> None:
    for decorated, line in (
        (lambda: explore(ready), "write @explore() above async def test_it(world): ..."),
        (lambda: explore()(alone), "alone has no parameter `world`; write async def alone(world): ..."),
        (lambda: explore()(print), "@explore: print is "),
        (lambda: explore(faults="cancle:1")(ready), "'cancle' (did you mean 'cancel'?)"),
        (lambda: explore(order="lifo")(ready), "unknown order 'lifo'"),  # type: ignore[arg-type]
        (lambda: explore(deviations=2, seed=1), "checks, and draws nothing; leave out seed"),
    ):
        with pytest.raises(SimError) as caught:
            decorated()
        (mistake,) = caught.value.mistakes
        assert line in mistake
