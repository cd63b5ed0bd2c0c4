"""A schedule with repeats is the schedule that it is short for."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.base.errors import ScenarioError
from sim.cli import call
from sim.scenario import load_scenario, parse_scenario
from sim.scenario.document import NODES_MAX, SIZE_MAX

SCENARIOS = Path(__file__).parents[2] / "scenarios"


def texts(schedule: str) -> list[str]:
    scenario = parse_scenario(f"model: toyshop\nschedule:\n{schedule}", "f.yaml", allow=("toyshop",))
    assert scenario.schedule is not None
    return [item.text for item in scenario.schedule]


def test_a_repeat_says_its_actions_once_for_every_value() -> None:
    assert texts(
        "  - move buyer.stop\n"
        "  - repeat: n in 1..2, 7\n    do:\n      - fire buyer.retry\n      - deliver buyer->shop Order(number=$n)\n"
        "  - {repeat: 2, do: [crash shop]}\n"
    ) == [
        "move buyer.stop",
        *[text for n in (1, 2, 7) for text in ("fire buyer.retry", f"deliver buyer->shop Order(number={n})")],
        *["crash shop"] * 2,
    ]


def test_repeats_stand_in_one_another() -> None:
    inner = "{repeat: 'n in 0..1', do: ['drop $who->shop Order(number=$n)', crash $who]}"
    assert texts(f"  - repeat: who in buyer, shop\n    do: [{inner}]\n") == [
        text
        for who in ("buyer", "shop")
        for n in (0, 1)
        for text in (f"drop {who}->shop Order(number={n})", f"crash {who}")
    ]


def test_a_name_is_taken_whole_and_elsewhere_a_dollar_stands_for_itself() -> None:
    """`$n` in `$name` is no use of `n`: one that replaced prefixes would write `1ame`."""
    both = "{repeat: 'name in 5', do: ['deliver buyer->shop Order(number=$name) #$n']}"
    assert texts(f"  - repeat: n in 1..1\n    do: [{both}]\n") == ["deliver buyer->shop Order(number=5) #1"]
    assert texts("  - deliver buyer->shop Order(number='$n')\n") == ["deliver buyer->shop Order(number='$n')"]


def test_every_round_knows_its_place_and_its_number() -> None:
    scenario = parse_scenario(
        "model: toyshop\nschedule:\n  - repeat: 2\n    do:\n      - repeat: n in 4..5\n        do:\n"
        "          - drop buyer->shop Order(number=$n)\n  - crash shop\n",
        "f.yaml",
        allow=("toyshop",),
    )
    assert scenario.schedule is not None
    assert [(item.line, item.column, item.round) for item in scenario.schedule] == [
        *[(7, 13, f"round {one}, n = {n}") for one in (1, 2) for n in (4, 5)],
        (8, 5, ""),
    ]


def test_a_step_that_does_not_fit_is_told_with_its_round(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "f.yaml"
    file.write_text(
        "model: models.consensus\nconfig: {agents: 1, stop: false, updates: 3}\nschedule:\n  - move coordinator.boot\n"
        "  - repeat: n in 1..9\n    do: [move conversation.update]\n"
    )
    assert call(["run", str(file)]) == 2
    error = capsys.readouterr().err
    assert f"{file}:6:10: n = 4: step 5: move conversation.update does not fit here" in error


def many(actions: int) -> str:
    return f"  - {{repeat: {actions}, do: [crash shop]}}\n"


def large(size: int) -> str:
    return f"  - {{repeat: 2, do: ['crash {'s' * (size - len('crash '))}']}}\n"


@pytest.mark.parametrize(
    ("over", "words"),
    [(many(NODES_MAX + 1), "at most 50,000 fit"), (large(SIZE_MAX // 2 + 1), "larger than 2097152 bytes")],
    ids=["actions", "bytes"],
)
def test_a_schedule_is_never_written_out_beyond_the_limits_of_a_file(over: str, words: str) -> None:
    with pytest.raises(ScenarioError, match=words):
        texts(over)


def test_what_is_just_within_the_limits_is_written_out() -> None:
    """The saboteur: limits that refuse every repeat would pass the test above."""
    assert len(texts(many(NODES_MAX))) == NODES_MAX
    with pytest.raises(ScenarioError, match="unknown process 's"):
        texts(large(SIZE_MAX // 2))


@pytest.mark.parametrize(
    "name", ["r2_thirty_updates", "r2_thirty_updates_reference", "r2_thirty_updates_reference_old"]
)
def test_thirty_updates_are_thirty(name: str) -> None:
    scenario = load_scenario(SCENARIOS / "consensus" / f"{name}.yaml")
    assert scenario.schedule is not None
    said = [item.text for item in scenario.schedule]
    at = said.index("move conversation.update")
    assert said[at : at + 60] == [
        text
        for n in range(1, 31)
        for text in ("move conversation.update", f"deliver conversation->coordinator Update(number={n})")
    ]
    assert len(said) == 67
