"""Every kind of mistake in a file: where it is, what is wrong, what would be right."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from sim.base.errors import ScenarioError
from sim.scenario import load_scenario, parse_scenario

_spec = importlib.util.spec_from_file_location("scenario_cases", Path(__file__).with_name("cases.py"))
assert _spec is not None
assert _spec.loader is not None
_cases = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_cases)
CASES = _cases.bad_files()
TOY = ("toyshop",)


def said(text: str) -> tuple[str, ...]:
    with pytest.raises(ScenarioError) as caught:
        parse_scenario(text, "f.yaml", allow=TOY)
    return caught.value.mistakes


def test_the_table_holds_enough_kinds_each_once() -> None:
    assert len(CASES) >= 90
    assert len({case.name for case in CASES}) == len(CASES)
    assert all(case.lines for case in CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_bad_file_is_told_line_by_line(case: object) -> None:
    assert said(case.text) == case.lines  # type: ignore[attr-defined]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_each_mistake_is_one_line_with_its_place(case: object) -> None:
    for line in said(case.text):  # type: ignore[attr-defined]
        assert re.match(r"f\.yaml:[1-9]\d*:[1-9]\d*: \S", line), line
        assert "\n" not in line
        assert "Traceback" not in line


def test_a_good_file_is_not_told_off() -> None:
    """The saboteur of the table: a loader that refuses everything would pass all of the above."""
    scenario = parse_scenario("model: toyshop\nseed: 3\n", "f.yaml", allow=TOY)
    assert scenario.seed == 3


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_places_move_with_the_text(case: object) -> None:
    """A comment put before the file moves every mistake by a line: places are not made up."""
    text = case.text  # type: ignore[attr-defined]
    if "\n" not in text.strip() and not text.strip():
        return  # an empty file has no place but its start
    first, second = said(text), said(f"# moved\n{text}")

    def place(line: str) -> tuple[int, str]:
        match = re.fullmatch(r"f\.yaml:(\d+):(.*)", line)
        assert match is not None
        return int(match[1]), re.sub(r"first on line \d+", "", match[2])

    if "the file is empty" in first[0]:
        return
    assert [place(line) for line in second] == [(number + 1, rest) for number, rest in map(place, first)]


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"model: toyshop\ndescription: \xff\n", "f.yaml:2:14: byte 0xff is not UTF-8; save the file as text in UTF-8"),
        (
            "model: toyshop\ndescription: ä\n".encode("utf-16"),
            "f.yaml:1:1: byte 0xff is not UTF-8; save the file as text in UTF-8",
        ),
        (b"\x89PNG\r\n\x1a\n\0\0", "f.yaml:1:1: byte 0x89 is not UTF-8; save the file as text in UTF-8"),
        (
            b"PK\x03\x04\0\0",
            "f.yaml:1:3: the file holds the control character U+0003; expected a text file in UTF-8",
        ),
        (b"#" * (2 * 1024 * 1024 + 1), "f.yaml: is larger than 2097152 bytes; a scenario is a short text"),
    ],
    ids=["not utf-8", "utf-16", "an image", "an archive", "too large"],
)
def test_bytes_that_are_no_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: bytes, line: str) -> None:
    monkeypatch.chdir(tmp_path)
    Path("f.yaml").write_bytes(data)
    with pytest.raises(ScenarioError) as caught:
        load_scenario("f.yaml", allow=TOY)
    assert caught.value.mistakes == (line,)


def test_files_that_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("round.yaml").write_text("model: toyshop\n")
    Path("folder").mkdir()
    expected = {
        "roud.yaml": "roud.yaml: no such file (did you mean 'round.yaml'?); name a scenario file",
        "nowhere/round.yaml": "nowhere/round.yaml: no such file; name a scenario file",
        "folder": "folder: is a directory; name a scenario file in it",
        "/dev/null": "/dev/null: is not a regular file; name a scenario file",
        "a\0b.yaml": "'a\\x00b.yaml': a file name cannot have control characters; rename it",
        "x\ny.yaml": "'x\\ny.yaml': a file name cannot have control characters; rename it",
        "round.yaml/x.yaml": "round.yaml/x.yaml: cannot be read: Not a directory; name a scenario file that can be read",
        "a" * 300 + ".yaml": "a" * 300
        + ".yaml: cannot be read: File name too long; name a scenario file that can be read",
    }
    for name, line in expected.items():
        with pytest.raises(ScenarioError) as caught:
            load_scenario(name)
        assert caught.value.mistakes == (line,)


def test_an_unreadable_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "round.yaml"
    file.write_text("model: toyshop\n")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)  # whoever runs the tests may be root, who may read anything
    with pytest.raises(
        ScenarioError, match=r"cannot be read: Permission denied; name a scenario file that can be read"
    ):
        load_scenario(file)


def test_a_byte_order_mark_and_line_ends_of_another_system_are_no_mistake() -> None:
    scenario = parse_scenario("\ufeffmodel: toyshop\r\nseed: 4\r\n".encode(), "f.yaml", allow=TOY)
    assert scenario.seed == 4
    with pytest.raises(ScenarioError, match=r"^f.yaml:2:1: unknown key 'sede'"):
        parse_scenario("\ufeffmodel: toyshop\r\nsede: 4\r\n".encode(), "f.yaml", allow=TOY)


def test_hundreds_of_mistakes_end_with_their_number() -> None:
    lines = said("model: toyshop\n" + "".join(f"zz{i}: 1\n" for i in range(250)))
    assert len(lines) == 101
    assert lines[-1] == "f.yaml: and 150 more mistakes"
