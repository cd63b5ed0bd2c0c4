"""The Promela that is compared with us says the same: its states and transitions are counted by a reader of its
own, and by Spin where that is installed."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from bench import spin
from models.two_phase_commit import system
from sim import check

_OPTION = re.compile(r":: d_step \{ (?P<guard>.+) -> (?P<effect>.+) \}")


def read(source: str) -> tuple[int, int, int]:
    """(states, transitions and the initial state, errors) of a model of one process with one control location:
    every option is tried in every state. An error ends nothing."""
    names = re.findall(r"\w+", ",".join(re.findall(r"^(?:byte|int|bit) (.+);$", source, re.M)))
    scalars = [name for name in names if name.isalpha() and name != "rm"]
    (managers,) = (int(size) for size in re.findall(r"rm\[(\d+)\];", source))
    options = [(_python(m["guard"], "eval"), m["effect"]) for m in _OPTION.finditer(source)]
    effects = [None if "assert" in effect else _python(effect, "exec") for _, effect in options]
    start = (*(0 for _ in scalars), (0,) * managers)
    seen, level, transitions, errors = {start}, [start], 1, 0
    while level:
        fresh = []
        for state in level:
            for (guard, _), effect in zip(options, effects, strict=True):
                space = {**dict(zip(scalars, state, strict=False)), "rm": list(state[-1])}
                if not eval(guard, {}, space):
                    continue
                if effect is None:
                    errors += 1
                    continue
                exec(effect, {}, space)
                transitions += 1
                after = (*(space[name] for name in scalars), tuple(space["rm"]))
                if after not in seen:
                    seen.add(after)
                    fresh.append(after)
        level = fresh
    return len(seen), transitions, errors


def _python(text: str, mode: str) -> object:
    return compile(text.replace("&&", "and").replace("||", "or"), "promela", mode)


def by_spin(folder: Path) -> Callable[[str], tuple[int, int, int]]:
    def run(source: str) -> tuple[int, int, int]:
        counts, errors = spin.run_spin(spin.built(source, folder / "spin", ("-O0",))[0], 20)
        return counts.states, counts.transitions, errors

    return run


READERS = ["a reader of its own", *([] if spin.missing() else ["Spin"])]
"""Who counts here: Spin too, where it is installed."""


@pytest.fixture(params=READERS)
def count(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], tuple[int, int, int]]:
    return by_spin(tmp_path) if request.param == "Spin" else read


@pytest.mark.parametrize("managers", [1, 2, 3, 4])
def test_the_promela_has_our_states_and_our_transitions(managers: int, count: Callable[..., object]) -> None:
    ours = check(system(managers))
    assert count(spin.promela(managers)) == (ours.states, ours.generated, 0)


def test_nine_managers_do_not_fit_into_a_byte() -> None:
    assert "byte sent" in spin.promela(8)
    assert "int sent" in spin.promela(9)


@pytest.mark.parametrize(
    ("sound", "planted"),
    [
        ("noted == 7 -> commit", "noted == 3 -> commit"),  # does not wait for the third
        ("abort == 1 -> rm[0] = 3", "abort == 1 -> rm[0] = 2"),
    ],
)
def test_a_promela_that_says_something_else_is_caught(sound: str, planted: str, count: Callable[..., object]) -> None:
    source = spin.promela(3)
    assert sound in source
    ours = check(system(3))
    states, transitions, errors = count(source.replace(sound, planted))  # type: ignore[misc]
    assert (states, transitions, errors) != (ours.states, ours.generated, 0)
    assert errors > 0


def test_where_a_tool_is_missing_one_line_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shutil, "which", lambda tool: None if tool == "spin" else "/usr/bin/gcc")
    assert spin.main() == 2
    assert capsys.readouterr().err == "bench.spin: spin not found: apt-get install spin\n"


def test_the_table_compares_with_the_best_build_of_spin() -> None:
    best = {
        "ours": spin.Counts(10, 2_000_001, 1.0),
        "Spin a": spin.Counts(10, 2_000_000, 3.0, making=0.5),
        "Spin b": spin.Counts(10, 2_000_000, 2.0, making=1.0),
    }
    assert list(spin.table(3, best)) == [
        "| 3 | ours | 10 | 0.00 | 1.00 | 0 thousand | 2.00 |",
        "| 3 | Spin b | 10 | 1.00 | 2.00 | 0 thousand | 1.00 |",
    ]
    for states, transitions in ((11, 2_000_000), (10, 2_000_100)):
        with pytest.raises(AssertionError):
            list(spin.table(3, {**best, "ours": spin.Counts(states, transitions, 1.0)}))
