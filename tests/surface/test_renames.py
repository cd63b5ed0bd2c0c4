"""Declared renames: whole words and prefixes are translated, nothing else is touched."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sim.surface.model import Surface
from sim.surface.renames import parse_rename, translate_text
from sim.surface.trees import SurfaceError

ReadTree = Callable[..., Surface]
Tell = Callable[..., list[str]]


@pytest.mark.parametrize(
    ("rename", "word", "becomes"),
    [
        ("load=read", "load", "read"),
        ("load=read", "load_all", "load_all"),
        ("load=read", "reload", "reload"),
        ("codex_*=code_*", "codex_home", "code_home"),
        ("codex_*=code_*", "from_codex_home", "from_codex_home"),
        ("*_home=*_dir", "codex_home", "codex_dir"),
        ("*codex*=*code*", "from_codex_home", "from_code_home"),
        ("*codex*=*code*", "CodexAuth", "CodexAuth"),
        ("A=B", 'x::A<"A">', 'x::B<"A">'),
    ],
)
def test_a_rename_acts_on_whole_words_or_where_its_stars_allow(rename: str, word: str, becomes: str) -> None:
    assert translate_text(word, [parse_rename(rename)]) == becomes


@pytest.mark.parametrize("said", ["a", "=b", "a=", "a*=b", "a b=c", "*a=b*", "a=b=c"])
def test_a_rename_that_is_none_is_refused_in_one_line(said: str) -> None:
    with pytest.raises(SurfaceError) as error:
        parse_rename(said)
    assert len(error.value.mistakes) == 1
    assert str(error.value).startswith(f"--rename {said}: ")


OLD = "pub struct CodexHome; pub fn from_codex(codex_home: &CodexHome) -> other_codex::X { todo!() }"
NEW = "pub struct CodeHome; pub fn from_code(code_home: &CodeHome) -> other_code::X { todo!() }"


def test_systematic_renames_leave_nothing_to_report(read_tree: ReadTree, tell: Tell) -> None:
    assert tell(read_tree(OLD), read_tree(NEW), renames=("*codex*=*code*", "Codex*=Code*")) == []


def test_a_planted_difference_shows_through_a_rename_under_the_first_trees_name(
    read_tree: ReadTree, tell: Tell
) -> None:
    planted = NEW.replace("&CodeHome)", "&mut CodeHome)")
    told = tell(read_tree(OLD), read_tree(planted), renames=("*codex*=*code*", "Codex*=Code*"))
    assert told == ["breaking parameter type: from_codex"]


def test_without_the_rename_the_same_trees_differ(read_tree: ReadTree, tell: Tell) -> None:
    assert len(tell(read_tree(OLD), read_tree(NEW))) > 1


def test_a_constants_text_is_never_renamed(read_tree: ReadTree, tell: Tell) -> None:
    old, new = 'pub const C: &str = "codex_home";', 'pub const C: &str = "code_home";'
    assert tell(read_tree(old), read_tree(new), renames=("*codex*=*code*",)) == ["behavioural value: C"]
