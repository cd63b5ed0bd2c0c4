"""What is written is read back as it was, whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.base.errors import ScenarioError
from sim.faults.plan import parse_plan
from sim.scenario import Expectation, load_scenario, parse_scenario, scenario_text, write_scenario
from sim.scenario.document import read_document
from sim.scenario.mistakes import Mistakes
from sim.scenario.writer import quoted

TOY = ("toyshop",)
TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=30)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=12,
)
ROUTES = st.sampled_from(["buyer->shop Order", "shop->buyer Answer"])
FIELDS = st.just("") | st.builds("(number={})".format, st.integers())
ORDINALS = st.just("") | st.builds(" #{}".format, st.integers(0, 999))
CRASHES = st.sampled_from(["", " crashing at once", " crashing after Sold", " crashing after Answer #2"])
CHOICES = st.just("") | st.builds(
    " choosing {}".format, st.sampled_from(["ok", "'a b: c #d'", "(1, 'x')", "None, 2", '"it\'s"', "'\\x00'", "{a, b}"])
)
ITEMS = st.one_of(
    st.builds("deliver {}{}{}{}{}".format, ROUTES, FIELDS, ORDINALS, CHOICES, CRASHES),
    st.builds(
        "deliver shop->buyer Answer{}{} under {}".format,
        FIELDS,
        ORDINALS,
        st.sampled_from(["agent_timeout", "rate_limited(30s)"]),
    ),
    st.builds("{} {}{}{}".format, st.sampled_from(["drop", "duplicate"]), ROUTES, FIELDS, ORDINALS),
    st.sampled_from(["fire buyer.retry", "move buyer.stop", "crash shop", "restart shop", "cut wall", "heal wall"]),
)


def reread(text: str) -> object:
    mistakes = Mistakes("f.yaml")
    root = read_document(text, mistakes)
    mistakes.raise_any()
    assert root is not None
    return root.plain()


@given(st.lists(ITEMS, max_size=6), st.lists(st.text(), max_size=3), st.sampled_from(["stop", "usual"]))
def test_a_schedule_is_read_back_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, items: list[str], header: list[str], then: str
) -> None:
    file = tmp_path_factory.getbasetemp() / "round trip.yaml"
    write_scenario(file, model="toyshop", config={"note": "x"}, schedule=items, then=then, header=header)  # type: ignore[arg-type]
    scenario = load_scenario(file, allow=TOY)
    assert scenario.schedule is not None
    assert [item.text for item in scenario.schedule] == items
    assert (scenario.then, scenario.config) == (then, {"note": "x"})
    lines = file.read_text("utf-8").splitlines()
    assert [lines[item.line - 1][item.column - 1 :].strip('"') for item in scenario.schedule] == [
        item.replace('"', '\\"').strip('"') if '"' in item else item.replace("\\", "\\\\") for item in items
    ]


@given(st.dictionaries(TEXT, PLAIN, max_size=4))
def test_any_plain_value_is_read_back_as_it_was_written(values: dict[str, object]) -> None:
    kept = {key: value for key, value in values.items() if value is not None}
    assert reread(scenario_text({"k": kept})) == {"k": kept}


@given(TEXT)
def test_any_text_is_read_back_as_this_very_text(text: str) -> None:
    assert reread(f"k: {quoted(text)}\n") == {"k": text}
    assert reread(f"{quoted(text)}: 1\n") == {text: 1}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "true",
        "null",
        "~",
        "3",
        "0x1f",
        "1e3",
        ".inf",
        "a: b",
        "a #b",
        "- a",
        "no",
        "a:",
        " a",
        "a ",
        "#a",
        "@a",
        "&a",
    ],
)
def test_texts_that_look_like_something_else_stay_texts(text: str) -> None:
    assert reread(f"k: {quoted(text)}\n") == {"k": text}


def test_without_quotes_these_would_have_been_something_else() -> None:
    """The saboteur of the test above."""
    changed = {text: reread(f"k: {text}\n") for text in ("true", "~", "3", "0x1f", "1e3", "a #b")}
    assert all(value != {"k": text} for text, value in changed.items())


@given(st.lists(st.text(), max_size=4))
def test_nothing_breaks_out_of_a_header(header: list[str]) -> None:
    text = scenario_text({"model": "toyshop"}, header)
    assert text.encode()
    assert reread(text) == {"model": "toyshop"}
    assert all(line.startswith("#") for line in text.split("\n")[:-2] if line)


def test_a_header_of_several_lines_stays_a_comment() -> None:
    text = scenario_text({"model": "a"}, ["found by fuzz\nmodel: evil\r\nx\x85y\u2028z\x1b[31m\0", ""])
    assert text == "# found by fuzz\n# model: evil\n# x\n# y\n# z\\x1b[31m\\x00\n#\n\nmodel: a\n"


def test_the_text_of_a_scenario(tmp_path: Path) -> None:
    file = tmp_path / "new" / "folder" / "r.yaml"
    write_scenario(
        file,
        model="toyshop",
        config={"names": ("a", "b c"), "note": "3", "limits": (("x", 1),), "polite": True},
        network="fifo",
        properties=["till", "the shop is open"],
        description="two\nlines",
        schedule=["fire buyer.retry", "deliver buyer->shop Order(number=1) #1"],
        then="usual",
        timing={"latency": "5ms", "links": {"shop->*": "1s"}},
        expect=Expectation("violated", "the shop is open", {"Sold": 1}, {"late": 2}, {"buyer": "done"}),
        header=["Found by a check.", "Replay: sim run r.yaml"],
    )
    assert file.read_text() == (
        "# Found by a check.\n# Replay: sim run r.yaml\n\nmodel: toyshop\n"
        'description: "two\\nlines"\nconfig:\n  names:\n    - a\n    - b c\n  note: "3"\n  limits: [["x", 1]]\n'
        '  polite: true\nnetwork: fifo\nproperties:\n  - till\n  - the shop is open\ntiming:\n  latency: "5ms"\n  links:\n    shop->*: "1s"\n'
        "expect:\n  verdict: violated\n  violation: the shop is open\n  emitted:\n    Sold: 1\n  rejected:\n    late: 2\n"
        "  states:\n    buyer: done\n"
        'schedule:\n  - fire buyer.retry\n  - "deliver buyer->shop Order(number=1) #1"\nthen: usual\n'
    )
    scenario = load_scenario(file, allow=TOY)
    assert scenario.expect == Expectation("violated", "the shop is open", {"Sold": 1}, {"late": 2}, {"buyer": "done"})
    assert (scenario.description, scenario.config["note"], scenario.config["names"]) == (
        "two\nlines",
        "3",
        ["a", "b c"],
    )


def test_a_plan_and_a_seed_are_read_back(tmp_path: Path) -> None:
    file = tmp_path / "r.yaml"
    plan = parse_plan("rate_limited:1@buyer(30s), crash:1@shop after Answer")
    write_scenario(
        file, model="toyshop", faults=plan, strategy="uniform", seed=2**64 - 1, steps=9, epoch="2025-06-01T00:00:00Z"
    )
    scenario = load_scenario(file, allow=TOY)
    assert (scenario.system.budget, scenario.seed, scenario.max_steps) == (plan, 2**64 - 1, 9)


def test_a_value_that_no_file_can_hold_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="a scenario file cannot contain a value of type object"):
        write_scenario(tmp_path / "x" / "r.yaml", model="toyshop", config={"a": object()})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("broken", ["write", "replace"])
def test_nothing_half_written_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    file = tmp_path / "r.yaml"
    file.write_text("old\n")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync" if broken == "write" else "replace", fail)
    with pytest.raises(ScenarioError, match=r"r.yaml: cannot be written: No space left on device; name a file"):
        write_scenario(file, model="toyshop")
    assert [f.name for f in tmp_path.iterdir()] == ["r.yaml"]
    assert file.read_text() == "old\n"
    monkeypatch.undo()
    write_scenario(file, model="toyshop")  # the saboteur gone, it is written
    assert file.read_text() == "model: toyshop\n"


def test_an_interrupted_write_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_scenario(tmp_path / "r.yaml", model="toyshop")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_a_file_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("")
    with pytest.raises(ScenarioError) as caught:
        write_scenario(tmp_path / "f" / "r.yaml", model="toyshop")
    assert len(caught.value.mistakes) == 1


def test_a_file_of_somebody_else_is_not_overwritten_on_the_way(tmp_path: Path) -> None:
    squatter = tmp_path / f".r.yaml.{os.getpid()}.0"
    squatter.write_text("mine")
    write_scenario(tmp_path / "r.yaml", model="toyshop")
    assert squatter.read_text() == "mine"
    assert parse_scenario((tmp_path / "r.yaml").read_text(), "r.yaml", allow=TOY).model == "toyshop"
