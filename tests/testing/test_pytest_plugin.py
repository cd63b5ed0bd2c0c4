"""The pytest plugin, as a user's suite runs it: in a folder of its own, in a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SHOP = re.search(r"<!-- file: shop.py -->\n```python\n(.*?)^```", (ROOT / "README.md").read_text(), re.M | re.S)


class Suite:
    """A folder with the README's shop, and tests of it."""

    def __init__(self, folder: Path) -> None:
        assert SHOP is not None
        self.folder = folder
        (folder / "shop.py").write_text(SHOP[1])
        self.ini()

    def ini(self, *lines: str) -> None:
        (self.folder / "pytest.ini").write_text("\n".join(["[pytest]", "pythonpath = .", *lines, ""]))

    def run(self, test: str, *options: str) -> subprocess.CompletedProcess[str]:
        """pytest on this test; its return code and what it says."""
        (self.folder / "test_shop.py").write_text(f"from shop import system\n\n{test}\n")
        others = [] if any(option.startswith("--asyncio") for option in options) else ["-p", "no:asyncio"]
        # pytest says a failure twice where CI or BUILD_NUMBER is set: at full length in its summary too.
        ours = ("PYTEST", "PYTHON", "CI", "BUILD_NUMBER")
        environment = {k: v for k, v in os.environ.items() if not k.startswith(ours)}
        return subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-W", "error", *others, *options],
            cwd=self.folder,
            env={**environment, "COLUMNS": "160"},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def replay(self, output: str) -> subprocess.CompletedProcess[str]:
        """The very command that the failure names."""
        command = re.search(r"replay it with: (sim run .*)", output)
        assert command is not None, output
        words = [sys.executable, "-m", *command[1].split()]
        return subprocess.run(words, cwd=self.folder, capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    return Suite(tmp_path)


CHECKS = "def test_charged_once(explore):\n    explore(system).check()"
FUZZES = "def test_charged_at_random(explore):\n    explore(system).fuzz()"
GOES_WRONG = "def test_twin(explore):\n    explore(system).check(violates='charged_once')"


@pytest.mark.parametrize(("test", "how"), [(CHECKS, "sim check found it among 7 states"), (FUZZES, "with seed")])
def test_a_violation_fails_with_its_counterexample_and_what_replays_it(test: str, how: str, suite: Suite) -> None:
    done = suite.run(test)
    assert done.returncode == 1, done.stdout + done.stderr
    for line in (
        "charged_once is violated: order 1 was charged twice",
        "- customer's timer patience fires before bank's Paid to customer arrives",
        "1. deliver customer->bank Pay(order=1)",
        "2. fire customer.patience",
        "3. deliver customer->bank Pay(order=1)",
    ):
        assert line in done.stdout, done.stdout
    assert how in done.stdout
    assert "explorer.py" not in done.stdout.replace("sim/testing/explorer.py:", ""), "the traceback ends in the test"
    replayed = suite.replay(done.stdout)
    assert replayed.returncode == 0, replayed.stdout + replayed.stderr
    assert "violated, as expected" in replayed.stdout


def test_what_holds_passes_and_gives_its_numbers(suite: Suite) -> None:
    test = (
        "def test_quick(explore):\n"
        "    result = explore('models.two_phase_commit', resource_managers=2).check()\n"
        "    assert result.verdict == 'ok' and result.states > 50\n"
        "    assert explore('models.two_phase_commit', resource_managers=2).fuzz(schedules=7).schedules == 7\n"
    )
    done = suite.run(test)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("call", "line"),
    [
        ("explore(system, order=2)", "system(): unknown parameter 'order': none is declared"),
        ("explore('models.paxos', client=2)", "system(): unknown parameter 'client' (did you mean 'clients'?)"),
        ("explore(system(), order=2)", "a System is complete: order would have no effect; leave it out"),
        ("explore(3)", "explore() got 3 (int); pass a model's function `system`, or its name"),
        ("explore(lambda: 3)", "<lambda>() returned 3 (int); it must return a System"),
        ("explore('shopp')", "shopp"),
        ("explore(system, network='ani')", "unknown network 'ani' (did you mean 'any'?)"),
    ],
)
def test_a_mistake_in_a_call_is_one_line(call: str, line: str, explore: Any, suite: Suite) -> None:
    from sim.base.errors import SimError

    namespace: dict[str, Any] = {"explore": explore}
    compiled = compile((suite.folder / "shop.py").read_text(), "shop.py", "exec")
    exec(compiled, namespace)
    with pytest.raises(SimError) as caught:
        eval(call, namespace)
    (mistake,) = caught.value.mistakes
    assert line in mistake


def test_a_planted_bug_may_be_expected_and_must_then_be_there(suite: Suite) -> None:
    assert suite.run(GOES_WRONG).returncode == 0
    other = suite.run(GOES_WRONG.replace("charged_once", "never_lost"))
    assert other.returncode == 1
    assert "expected never_lost to be violated, but something else is" in other.stdout
    nothing = suite.run("def test_twin(explore):\n    explore('models.paxos').fuzz(violates='x', schedules=2)")
    assert "expected x to be violated, but nothing is" in nothing.stdout


def test_an_answer_that_did_not_come_is_no_success(suite: Suite) -> None:
    done = suite.run("def test_large(explore):\n    explore('models.paxos').check(max_states=50)")
    assert done.returncode == 1
    assert "the check ended without an answer: " in done.stdout


def test_a_system_that_no_module_makes_is_replayed_from_python(suite: Suite) -> None:
    done = suite.run("def test_made_here(explore):\n    explore(system().with_(network='fifo')).check()")
    assert done.returncode == 1
    assert "simulate(system, Replay((" in done.stdout
    assert not (suite.folder / "counterexamples").exists()


def test_a_kept_counterexample_is_a_test_until_it_is_mended(suite: Suite) -> None:
    suite.run(CHECKS)
    (kept,) = (suite.folder / "counterexamples").iterdir()
    test = f"def test_kept(explore):\n    assert explore.scenario({str(kept)!r}, model='shop').finding is not None"
    assert suite.run(test).returncode == 0
    kept.write_text(kept.read_text().replace("charged_once\n", "stuck\n"))
    done = suite.run(test)
    assert done.returncode == 1
    assert "violation: expected stuck, got charged_once" in done.stdout


def test_the_options_count_before_the_ini_file_and_that_before_the_profile(suite: Suite) -> None:
    test = "def test_it(explore):\n    print(explore.settings)"
    assert "profile default, 1,000 schedules, seed 0" in suite.run(test).stdout
    suite.ini("sim_profile = quick", "sim_seed = 5", "sim_counterexamples = kept")
    done = suite.run(test, "-s")
    assert "profile quick, 100 schedules, seed 5" in done.stdout
    assert f"schedules=100, seed=5, folder=PosixPath('{suite.folder / 'kept'}')" in done.stdout
    done = suite.run(test, "--sim-profile", "thorough", "--sim-seed", "9")
    assert "profile thorough, 50,000 schedules, seed 9" in done.stdout
    suite.ini("sim_schedules = 12")
    assert "12 schedules" in suite.run(test, "--sim-profile", "thorough").stdout
    assert "13 schedules" in suite.run(test, "--sim-schedules", "13").stdout


@pytest.mark.parametrize(
    ("option", "line"),
    [
        ("--sim-seed=x", "--sim-seed x: must be a whole number from 0"),
        ("--sim-schedules=0", "--sim-schedules 0: must be a whole number from 1"),
        ("--sim-profile=fast", "--sim-profile: unknown profile 'fast': use quick, default or thorough"),
    ],
)
def test_a_wrong_option_is_said_before_any_test_runs(option: str, line: str, suite: Suite) -> None:
    done = suite.run(CHECKS, option)
    assert done.returncode == 4
    assert line in done.stderr
    assert "test_charged_once" not in done.stdout


def test_workers_of_xdist_fail_as_one_process_does(suite: Suite) -> None:
    both = f"{CHECKS}\n\n{FUZZES}\n\n{GOES_WRONG}"
    done = suite.run(both, "-n", "2")
    assert done.returncode == 1
    assert "2 failed, 1 passed" in done.stdout
    assert len(list((suite.folder / "counterexamples").iterdir())) == 2
    assert suite.replay(done.stdout).returncode == 0


def test_hypothesis_and_its_options_are_left_alone(suite: Suite) -> None:
    test = (
        "import sys\n"
        "from hypothesis import given, settings, strategies as st\n"
        "def test_settings(explore, pytestconfig):\n"
        "    assert pytestconfig.getoption('--hypothesis-seed') == '3'\n"
        "    assert settings().max_examples == settings.get_profile('default').max_examples\n"
        "@given(st.integers())\n"
        "def test_own(number):\n"
        "    pass\n"
    )
    done = suite.run(test, "--hypothesis-seed=3", "--sim-seed=4")
    assert done.returncode == 0, done.stdout


def test_a_suite_that_does_not_use_it_loads_no_engine_and_no_hypothesis(suite: Suite) -> None:
    test = (
        "import sys\ndef test_modules():\n"
        "    heavy = ('sim.graph.graph', 'sim.fuzzer', 'sim.checker', 'sim.scenario', 'numpy', 'rich')\n"
        "    assert [name for name in heavy if name in sys.modules] == []\n"
    )
    done = suite.run(test, "-p", "no:hypothesispytest")
    assert done.returncode == 0, done.stdout
    assert "profile default" not in done.stdout
    assert "profile default" in suite.run(f"{test}\ndef test_it(explore): pass\n").stdout


def test_a_project_without_it_loads_no_module_of_sim(suite: Suite) -> None:
    (suite.folder / "shop.py").write_text("system = None\n")
    test = "import sys\ndef test_modules():\n    assert 'sim' not in sys.modules\n"
    done = suite.run(test)
    assert done.returncode == 0, done.stdout
    assert "roundsim" not in re.sub("^plugins: .*", "", done.stdout, flags=re.M)
    assert suite.run(f"import sim\n{test}").returncode == 1


OWN_SIM = "def answer():\n    return 42\n"
OFF = "roundsim: `sim` is a package of this project's own here ({}), so its fixtures are off"


@pytest.mark.parametrize("options", [(), ("-n", "1")], ids=["one process", "xdist"])
def test_a_project_with_a_package_sim_of_its_own_runs_its_tests(options: tuple[str, ...], suite: Suite) -> None:
    (suite.folder / "shop.py").write_text("system = None\n")
    (suite.folder / "sim").mkdir()
    own = suite.folder / "sim/__init__.py"
    own.write_text(OWN_SIM)
    done = suite.run("def test_own():\n    import sim\n    assert sim.answer() == 42\n", *options)
    assert done.returncode == 0, done.stdout + done.stderr
    done = suite.run("import sim\n\ndef test_own():\n    assert sim.answer() == 42\n", *options)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("roundsim: ") == done.stdout.count(OFF.format(own)) == (0 if options else 1)
    done = suite.run("def test_it(explore):\n    pass\n", *options)
    assert done.returncode == 1
    assert f"\n{OFF.format(own)}\n" in done.stdout
    assert "Traceback" not in done.stdout
    done = suite.run("def test_own():\n    pass\n", "--sim-profile=fast", *options)
    assert (done.returncode, "--sim-profile: unknown profile 'fast': use quick" in done.stderr) == (4, True)


CONFTEST = """
def pytest_addoption(parser):
    parser.addoption("--sim-seed", {how})
    parser.addini("sim_profile", "A flight profile.", default="steep")
"""


@pytest.mark.parametrize("how", ["action='store_true'", "type=float, default=0.5", "dest='other', default='x'"])
def test_an_option_of_the_projects_own_is_the_projects(how: str, suite: Suite) -> None:
    (suite.folder / "conftest.py").write_text(CONFTEST.format(how=how))
    test = (
        "def test_own(pytestconfig, explore):\n"
        "    assert pytestconfig.getini('sim_profile') == 'steep'\n"
        "    print(pytestconfig.getoption('--sim-seed'), explore.settings)"
    )
    done = suite.run(test, "-s", "--sim-schedules", "3")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "schedules=3, seed=0" in done.stdout
    suite.ini("sim_seed = 7")
    assert "seed=7" in suite.run(test, "-s").stdout


def test_two_options_of_one_name_are_what_pytest_cannot_have(suite: Suite) -> None:
    """The planted fault: the same option, added by a plugin that does not look for the project's own."""
    (suite.folder / "conftest.py").write_text(CONFTEST.format(how="action='store_true'"))
    (suite.folder / "hasty.py").write_text(
        "def pytest_addoption(parser):\n    parser.getgroup('hasty').addoption('--sim-seed', default='0')\n"
    )
    done = suite.run("def test_it(): pass", "-p", "hasty")
    assert done.returncode != 0
    assert "--sim-seed" in done.stdout + done.stderr
