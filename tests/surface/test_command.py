"""`sim surface` as a command: exit statuses, formats, and one clear line for each kind of bad input."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from sim.cli import call

Plant = Callable[[str, Mapping[str, str]], Path]

OLD = {"src/lib.rs": "pub fn f(x: u8) {}\n"}
MORE = {"src/lib.rs": "pub fn f(x: u8) {}\npub fn g() {}\n"}
LESS = {"src/lib.rs": "\npub fn f(x: u16) {}\n"}


def _run(*arguments: object) -> int:
    return call(["surface", *map(str, arguments)])


def test_go_is_0_and_no_go_is_1(plant: Plant, capsys: pytest.CaptureFixture[str]) -> None:
    old, more, less = plant("old", OLD), plant("more", MORE), plant("less", LESS)
    assert _run(old, more) == 0
    assert "Decision: go\n" in capsys.readouterr().out
    assert _run(old, less) == 1
    assert "Decision: no-go\n" in capsys.readouterr().out


def test_a_tree_may_be_compared_with_itself(plant: Plant, capsys: pytest.CaptureFixture[str]) -> None:
    old = plant("old", OLD)
    assert _run(old, old, "--json") == 0
    assert [tree["name"] for tree in json.loads(capsys.readouterr().out)["trees"]] == [f"{old}", f"{old} (2)"]


def test_json_is_one_object_with_places_on_both_sides(plant: Plant, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(plant("old", OLD), plant("less", LESS), "--json", "--require", "f", "--require", "h") == 1
    said = json.loads(capsys.readouterr().out)
    assert (said["verdict"], said["as_expected"]) == ("no-go", False)
    (difference,) = said["comparisons"][0]["differences"]
    assert difference["class"] == "breaking"
    assert difference["old"] == {"file": "src/lib.rs", "line": 1, "visibility": "pub"}
    assert difference["new"] == {"file": "src/lib.rs", "line": 2, "visibility": "pub"}
    assert [[tree["present"] for tree in row["trees"]] for row in said["required"]] == [[True, True], [False, False]]


def test_markdown_goes_to_a_file_and_names_places_on_both_sides(plant: Plant, tmp_path: Path) -> None:
    out = tmp_path / "report.md"
    assert _run(plant("old", OLD), plant("less", LESS), "--format", "markdown", "--out", out) == 1
    assert "| `crate::f` | fn parameter type | `1: u8` | `1: u16` | src/lib.rs:1 | src/lib.rs:2 |" in out.read_text()


def test_a_difference_says_how_visible_its_items_are(plant: Plant, capsys: pytest.CaptureFixture[str]) -> None:
    old, more = plant("old", OLD), plant("inner", {"src/lib.rs": OLD["src/lib.rs"] + "pub(crate) fn g() {}\nfn h() {}"})
    assert _run(old, more, "--level", "all") == 0
    printed = capsys.readouterr().out
    assert "src/lib.rs:2, pub(crate)\n" in printed
    assert "src/lib.rs:3, private\n" in printed
    _run(old, more, "--level", "all", "--json")
    told = json.loads(capsys.readouterr().out)["comparisons"][0]["differences"]
    assert [one["new"]["visibility"] for one in told] == ["pub(crate)", "private"]


def test_two_runs_print_the_same_bytes(plant: Plant, capsys: pytest.CaptureFixture[str]) -> None:
    old, less = plant("old", OLD), plant("less", LESS)
    texts = []
    for _ in range(2):
        _run(old, less, "--level", "all")
        texts.append(capsys.readouterr().out)
    assert texts[0] == texts[1]


def test_a_file_that_does_not_parse_is_listed_and_makes_it_a_no_go(
    plant: Plant, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = plant("broken", {**MORE, "src/a.rs": "pub fn g( {"})
    assert _run(plant("old", OLD), broken, "--name", "old", "--name", "broken") == 1
    assert "- broken: src/a.rs:1 is not Rust that the grammar accepts" in capsys.readouterr().out


def test_a_further_tree_can_turn_a_no_go_into_a_go(plant: Plant) -> None:
    assert _run(plant("old", OLD), plant("less", LESS), "--also", plant("more", MORE)) == 0


# -- bad input -------------------------------------------------------------------------------------------


def _binary(folder: Path) -> Path:
    (folder / "src/lib.rs").write_bytes(b"\x7fELF\0\0\0")
    return folder


def _loop(folder: Path) -> Path:
    (folder / "src/again").symlink_to(folder, target_is_directory=True)
    return folder


def _loop_of_two(folder: Path) -> Path:
    (folder / "src/one").symlink_to("two")
    (folder / "src/two").symlink_to("one")
    return folder


def _self_loop(folder: Path) -> Path:
    (folder / "src/a.rs").symlink_to(folder / "src/a.rs")
    return folder


def _empty(folder: Path) -> Path:
    (folder / "src/lib.rs").unlink()
    return folder


def _broken(folder: Path) -> Path:
    (folder / "src/lib.rs").write_text("pub fn f( {")
    return folder


BAD: dict[str, tuple[Callable[[Path], Path], str]] = {
    "missing folder": (lambda folder: folder / "nowhere", "no such folder or file"),
    "binary file in the tree": (_binary, "src/lib.rs: is a binary file"),
    "binary file as the tree": (lambda folder: _binary(folder) / "src/lib.rs", "a binary file"),
    "nothing to compare": (_empty, "no Rust or Python source"),
    "nothing but broken Rust": (_broken, "src/lib.rs:1: is not Rust that the grammar accepts"),
    "no repository": (lambda folder: Path("nowhere@abc:x"), "no repository at nowhere"),
    "folder that is no repository": (lambda folder: Path(f"{folder}@HEAD"), "no git repository"),
}


@pytest.mark.parametrize(("spoil", "said"), BAD.values(), ids=BAD.keys())
@pytest.mark.parametrize("side", [0, 1])
def test_bad_input_is_one_clear_line_and_2(
    spoil: Callable[[Path], Path], said: str, side: int, plant: Plant, capsys: pytest.CaptureFixture[str]
) -> None:
    trees = [plant("good", OLD), spoil(plant("bad", OLD))]
    assert _run(trees[side], trees[1 - side]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("sim: ")
    assert printed.err.count("\n") == 1
    assert said in printed.err


def test_a_tree_without_a_name_is_not_the_current_folder(plant: Plant, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(plant("old", OLD), "") == 2
    assert (
        capsys.readouterr().err == "sim: a tree has an empty name; a tree is a folder, or REPOSITORY@COMMIT[:FOLDER]\n"
    )


def test_what_is_neither_file_nor_folder_is_listed(plant: Plant, capsys: pytest.CaptureFixture[str]) -> None:
    old, more = plant("old", OLD), plant("more", MORE)
    os.mkfifo(more / "src/pipe.rs")
    assert _run(old, more, "--name", "old", "--name", "more") == 1
    assert "- more: src/pipe.rs:1 was not read: neither a file nor a folder" in capsys.readouterr().out


def test_the_same_trees_unspoilt_are_fine(plant: Plant) -> None:
    assert _run(plant("good", OLD), plant("bad", OLD)) == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--rename", "codex"), "--rename codex: not OLD=NEW"),
        (("--only", "nowhere/*"), "no source file matches --only nowhere/*"),
        (("--study", "nowhere.toml"), "nowhere.toml: cannot be read"),
        (("--level", "most"), "--level most: unknown level 'most': use pub, crate or all"),
        (("--name", "x", "--name", "y", "--name", "z"), "--name z: 3 names for 2 trees"),
        (("--require", ""), "--require: an empty name"),
        (("--rename", "a=b", "--rename", "a=c"), "--rename a=c: a is already renamed to b"),
        (("--json", "--format", "markdown"), "--json and --format markdown are both given"),
        (("--out", "/nowhere/at/all"), "--out /nowhere/at/all: cannot be written"),
    ],
)
def test_a_bad_option_is_one_clear_line_and_2(
    options: tuple[str, ...], said: str, plant: Plant, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(plant("old", OLD), plant("more", MORE), *options) == 2
    printed = capsys.readouterr().err
    assert said in printed
    assert printed.count("\n") == 1


def test_links_that_do_not_loop_are_followed_or_listed(plant: Plant, capsys: pytest.CaptureFixture[str]) -> None:
    old, more = plant("old", OLD), plant("more", MORE)
    (more / "src/inner.rs").symlink_to(more / "src/lib.rs")
    (more / "src/outer.rs").symlink_to(old / "src/lib.rs")
    (more / "src/gone.rs").symlink_to(more / "nothing.rs")
    assert _run(old, more, "--name", "old", "--name", "more") == 1
    printed = capsys.readouterr().out
    assert "- more: src/gone.rs:1 was not read: a link to nothing" in printed
    assert "- more: src/outer.rs:1 was not read: a link out of the tree" in printed
    assert "inner::f" in printed


# -- the optional parsers ----------------------------------------------------------------------------------


@pytest.mark.parametrize("missing", ["tree_sitter", "tree_sitter_rust", "griffe"])
def test_without_its_parsers_it_says_what_to_install(
    missing: str, plant: Plant, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == missing else real(name))
    assert _run(plant("old", OLD), plant("more", MORE)) == 2
    printed = capsys.readouterr().err
    assert (
        printed == f"sim: surface: requires {missing}, which is not installed; run: pip install 'roundsim[surface]'\n"
    )


def test_no_heavy_library_is_imported_before_a_comparison_starts() -> None:
    code = (
        "import sys; from sim.cli import call; call(['surface', '--help']);"
        "print([m for m in ('tree_sitter', 'griffe', 'pydantic') if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"


# -- git revisions -----------------------------------------------------------------------------------------


def _git(folder: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.invalid", "-c", "commit.gpgsign=false")
    subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True)


@pytest.fixture
def repository(plant: Plant) -> Path:
    """Two commits: a crate in a folder, then one function more in it."""
    folder = plant("repository", {"crates/one/src/lib.rs": OLD["src/lib.rs"], "other/src/lib.rs": "pub fn o() {}"})
    _git(folder, "init", "--quiet")
    _git(folder, "add", ".")
    _git(folder, "commit", "--quiet", "--message", "one")
    (folder / "crates/one/src/lib.rs").write_text(MORE["src/lib.rs"])
    _git(folder, "commit", "--quiet", "--all", "--message", "two")
    return folder


def test_two_revisions_of_a_folder_are_compared_without_a_checkout(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (repository / "crates/one/src/lib.rs").write_text("what is checked out does not count")
    assert _run(f"{repository}@HEAD~1:crates/one", f"{repository}@HEAD:crates/one", "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert [d["item"] for d in said["comparisons"][0]["differences"]] == ["crate::g"]
    assert [len(tree["revision"]) for tree in said["trees"]] == [40, 40]


def test_the_same_revision_does_not_differ_from_itself(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(f"{repository}@HEAD", f"{repository}@HEAD", "--name", "a", "--name", "b", "--json") == 0
    assert json.loads(capsys.readouterr().out)["comparisons"][0]["differences"] == []


def test_a_revision_leaves_the_same_folders_aside_as_its_checkout(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for folder in (".hidden", "node_modules", "target", "module/target"):
        (repository / "crates/one" / folder).mkdir(parents=True)
        (repository / "crates/one" / folder / "made.rs").write_text("pub fn made() {}")
    (repository / "crates/one/target/CACHEDIR.TAG").touch()
    _git(repository, "add", "--force", ".")
    _git(repository, "commit", "--quiet", "--message", "made")
    assert _run(repository / "crates/one", f"{repository}@HEAD:crates/one", "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert [tree["files"] for tree in said["trees"]] == [2, 2]
    assert said["comparisons"][0]["differences"] == []


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("@nothing:crates", "no such commit"),
        ("@HEAD:nowhere", "no Rust or Python source"),
        ("@--help", "no such commit"),
    ],
)
def test_a_revision_that_is_none_is_one_clear_line(
    spec: str, said: str, repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(f"{repository}{spec}", f"{repository}@HEAD") == 2
    printed = capsys.readouterr().err
    assert said in printed
    assert printed.count("\n") == 1


@pytest.mark.parametrize(("spoil", "at"), [(_loop, "src/again"), (_self_loop, "src/a.rs"), (_loop_of_two, "src/one")])
@pytest.mark.parametrize("side", [0, 1])
def test_a_link_that_loops_is_listed_and_the_rest_compared(
    spoil: Callable[[Path], Path], at: str, side: int, plant: Plant, capsys: pytest.CaptureFixture[str]
) -> None:
    trees = [plant("good", OLD), spoil(plant("bad", MORE))]
    assert _run(trees[side], trees[1 - side], "--json") == 1
    said = json.loads(capsys.readouterr().out)
    unclean = [(one["place"], one["reason"]) for tree in said["trees"] for one in tree["unclean"]]
    assert (f"{at}:1", "was not read: a link that loops") in unclean
    assert said["comparisons"][0]["differences"] != []


def test_a_link_that_loops_in_a_revision_is_listed(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repository / "crates/one/src/again").symlink_to("..", target_is_directory=True)
    _git(repository, "add", ".")
    _git(repository, "commit", "--quiet", "--message", "loop")
    assert _run(f"{repository}@HEAD~1", f"{repository}@HEAD") == 1
    assert "crates/one/src/again:1 was not read: a link that loops" in capsys.readouterr().out
