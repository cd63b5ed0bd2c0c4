"""The picture of README.md is what its commands draw."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

from tests.picture import PICTURE, README, drawn


def test_the_picture_is_what_the_commands_of_the_readme_draw(tmp_path: Path) -> None:
    assert drawn(tmp_path) == PICTURE.read_text("utf-8"), "python -m tests.generated draws it anew"


def test_a_picture_of_yesterday_is_caught(tmp_path: Path) -> None:
    other = README.read_text("utf-8").replace("order=1", "order=2").replace("`charged_once`", "")
    assert drawn(tmp_path, other) != PICTURE.read_text("utf-8")


def test_the_picture_is_shown_and_runs_nothing() -> None:
    (shown,) = re.findall(r"!\[([^\]]+)\]\(docs/race\.svg\)", README.read_text("utf-8"))
    assert "charged twice" in shown, "who cannot see it reads what it shows"
    picture = ET.fromstring(PICTURE.read_text("utf-8"))
    assert {element.tag.rpartition("}")[2] for element in picture.iter()} <= {
        "svg", "style", "defs", "marker", "path", "line", "rect", "text", "g",
    }  # fmt: skip
    assert not re.search("https?://(?!www.w3.org/2000/svg)|url\\((?!#)", PICTURE.read_text("utf-8"))
