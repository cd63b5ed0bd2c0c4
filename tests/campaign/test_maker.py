"""Whose sessions they are: what came with a project imports nothing, whatever its modes say."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from sim.base.errors import ConfigError
from sim.campaign import sessions
from sim.campaign.maker import Maker, state_folder
from sim.campaign.store import MIGRATIONS, CampaignStore
from sim.cli import call
from sim.sessions.home import Home, home
from tests.campaign.toys import a_campaign, a_plan, forget_dice, inline, interrupt_at, open_store, stored

REFUSED = "is not known to be yours"


@pytest.fixture
def elsewhere(here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The store of somebody else with a session that is open, and a model that tells when it is imported."""
    monkeypatch.setenv("XDG_STATE_HOME", str(here / "theirs"))
    with open_store(here) as store:
        a_campaign(store, here).run(inline(interrupt_at(20)))
    forget_dice()
    with (here / "dice.py").open("a") as model:
        model.write("\nimport pathlib\npathlib.Path(__file__).with_name('imported').touch()\n")
    monkeypatch.setenv("XDG_STATE_HOME", str(here / "ours"))
    return here


def asked(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    capsys.readouterr()
    status = call([*words])
    out, err = capsys.readouterr()
    return status, out, err


def test_a_store_that_came_with_a_project_imports_nothing(elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A clone under a strict umask has the right owner and mode 0600."""
    status, out, err = asked(capsys, "resume", "1", "--workers", "1")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert f"session 1 {REFUSED}" in err
    assert "sim sessions --adopt" in err
    status, out, _ = asked(capsys, "status", "1")
    assert (status, "their coverage is unknown: session 1 is not known to be yours" in out) == (0, True)
    status, out, _ = asked(capsys, "sessions")
    assert (status, out.endswith("not known to be yours: session 1; if they are: sim sessions --adopt\n")) == (0, True)
    assert not (elsewhere / "imported").exists()
    assert not (elsewhere / "ours").exists(), "to look makes no key"


def test_a_store_that_is_ones_own_imports_what_it_names(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(elsewhere / "theirs"))
    assert call(["status", "1"]) == 0
    assert (elsewhere / "imported").exists(), "so the test above would see it"


def test_what_is_adopted_is_ones_own(elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = asked(capsys, "sessions", "--adopt")
    assert (status, out.startswith("adopted: session 1\n"), "not known" in out) == (0, True, False)
    assert asked(capsys, "sessions", "--adopt")[1].startswith("id"), "once is enough"
    status, out, _ = asked(capsys, "resume", "1", "--workers", "1", "--json")
    assert (status, json.loads(out)["schedules"], json.loads(out)["session"]["own"]) == (1, 80, True), (
        "the code has changed, so the rest is a part of its own"
    )


def test_a_plan_that_was_changed_behind_its_seal_is_not_ones_own(here: Path) -> None:
    """A write-ahead log that came with a project would be folded into a store of one's own."""
    with open_store(here) as store:
        plan = a_plan()
        assert sessions.begin(store, "", plan, plan.load(), sessions.GitPlace()).own
        with store.writing() as change:
            change.do("UPDATE session SET plan = json_set(plan, '$.model', 'evil')")
        with pytest.raises(ConfigError, match=REFUSED):
            sessions.session(store, 1).load()
        with store.writing() as change:
            change.do("UPDATE session SET plan = ?", plan.to_json())
        assert sessions.session(store, 1).own


def test_a_store_elsewhere_is_not_ones_own(here: Path) -> None:
    """Somebody to whom it was sent may have sent it back changed, with its seals."""
    with open_store(here) as store:
        plan = a_plan()
        sessions.begin(store, "", plan, plan.load(), sessions.GitPlace())
    shutil.copytree(here / ".sim", here / "copy" / ".sim")
    with open_store(here / "copy") as store:
        assert not sessions.session(store, 1).own


@pytest.mark.parametrize("kind", ["TRIGGER a AFTER INSERT ON session BEGIN SELECT 1; END", "VIEW a AS SELECT 1"])
def test_a_store_that_changes_what_is_written_is_refused(kind: str, here: Path) -> None:
    open_store(here).close()
    stored(here, f"CREATE {kind}")
    with pytest.raises(ConfigError, match="is not a store of sessions"):
        open_store(here)


# --- stores of an earlier roundsim ------------------------------------------------------------------


def make_old(file: Path) -> None:
    """The store as it was before there were seals."""
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("DROP TABLE hosted")
        database.execute("ALTER TABLE session DROP COLUMN seal")
        database.execute("PRAGMA user_version = 1")


def test_an_old_store_of_a_project_says_how_it_is_adopted(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with open_store(here) as store:
        a_campaign(store, here).run(inline(interrupt_at(20)))
    make_old(here / ".sim" / "sessions.sqlite")
    status, _, err = asked(capsys, "resume", "1", "--workers", "1")
    assert (status, err.count("\n"), "sim sessions --adopt" in err) == (2, 1, True)
    assert asked(capsys, "sessions", "--adopt")[0] == 0
    assert asked(capsys, "resume", "1", "--workers", "1", "--json")[0] == 1


def old_home(here: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIM_HOME", str(folder))
    (here / "pyproject.toml").touch()
    place = home(here, str(folder))
    place.prepare()
    with CampaignStore(place.file, MIGRATIONS, maker=Maker(state_folder(str(here / "before")))) as store:
        plan = a_plan()
        sessions.begin(store, str(here), plan, plan.load(), sessions.GitPlace())
    make_old(place.file)


def test_an_old_store_where_no_project_puts_files_needs_nothing(
    here: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    old_home(here, tmp_path_factory.mktemp("kept"), monkeypatch)
    assert call(["resume", "1", "--workers", "1"]) == 1


def test_an_old_store_that_only_sim_home_names_inside_the_project_is_not_trusted(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    old_home(here, here / "kept", monkeypatch)
    status, _, err = asked(capsys, "resume", "1", "--workers", "1")
    assert (status, REFUSED in err) == (2, True)


# --- links, and folders of others -------------------------------------------------------------------


def linked(name: str) -> Callable[[Path], None]:
    """A link in place of a file, to something that would be written to or made."""

    def plant(folder: Path) -> None:
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(folder.parent / "victim")

    return plant


def doubled(folder: Path) -> None:
    os.link(folder / "sessions.sqlite", folder.parent / "second")


def a_pipe(folder: Path) -> None:
    (folder / "sessions.sqlite").unlink()
    os.mkfifo(folder / "sessions.sqlite", 0o600)


def moved(folder: Path) -> None:
    folder.rename(folder.parent / "real")
    folder.symlink_to("real")


NAMES = ("sessions.sqlite", "sessions.sqlite-wal", "sessions.sqlite-shm", "sessions.sqlite-journal", "sessions.lock", ".gitignore")  # fmt: skip
ODD = {
    **{f"a link as {name}": linked(name) for name in NAMES},
    "a second name": doubled,
    "a pipe": a_pipe,
    "a link as the folder": moved,
}


@pytest.mark.parametrize("plant", ODD.values(), ids=ODD)
def test_links_in_place_of_files_are_refused(plant: Callable[[Path], None], tmp_path: Path) -> None:
    place = Home(tmp_path / ".sim", tmp_path, shared=False)
    place.prepare()
    place.prepare()
    plant(place.folder)
    with pytest.raises(ConfigError, match=r"is a link, or no f[a-z]+ at all"):
        place.prepare()
    assert not (tmp_path / "victim").exists()


@pytest.mark.parametrize("mode", [0o720, 0o702])
def test_a_folder_that_others_may_write_to_is_refused(mode: int, tmp_path: Path) -> None:
    open_store(tmp_path).close()
    (tmp_path / ".sim").chmod(mode)
    with pytest.raises(ConfigError, match=r"others may write to it, .*: chmod go-w "):
        open_store(tmp_path)
    (tmp_path / ".sim").chmod(0o755)
    open_store(tmp_path).close()


# --- the key ----------------------------------------------------------------------------------------


def test_the_key_is_private_and_stays(tmp_path: Path) -> None:
    made = Maker(tmp_path / "a" / "b").seal("x", "y")
    file = tmp_path / "a" / "b" / "key"
    assert (stat.S_IMODE(file.stat().st_mode), stat.S_IMODE(file.parent.stat().st_mode)) == (0o600, 0o700)
    assert [path.name for path in file.parent.iterdir()] == ["key"]
    assert Maker(tmp_path / "a" / "b").has_sealed(made, "x", "y")
    for seal, texts in ((made, ("xy",)), (made, ("x", "y", "")), ("", ("x", "y")), ("ü", ("x", "y"))):
        assert not Maker(tmp_path / "a" / "b").has_sealed(seal, *texts)
    assert not Maker(tmp_path / "other").has_sealed(made, "x", "y")


def shorten(file: Path) -> None:
    file.write_bytes(b"short")


def show(file: Path) -> None:
    file.chmod(0o640)


@pytest.mark.parametrize("spoil", [shorten, show])
def test_a_key_that_is_none_is_told(spoil: Callable[[Path], None], tmp_path: Path) -> None:
    Maker(tmp_path).seal("x")
    spoil(tmp_path / "key")
    with pytest.raises(ConfigError, match="is not a key that only you can read; remove it"):
        Maker(tmp_path).seal("x")


def test_a_key_that_is_a_link_or_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "key").symlink_to("nothing")
    (tmp_path / "file").touch()
    for folder in (tmp_path, tmp_path / "file"):
        with pytest.raises(ConfigError, match=r"no key can be kept there: .*; set XDG_STATE_HOME to a folder"):
            Maker(folder).seal("x")


def test_the_state_folder_is_the_one_that_is_named_in_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert state_folder("/a/b") == Path("/a/b/roundsim")
    for variable in (None, "", "a/b"):
        assert state_folder(variable) == tmp_path / ".local" / "state" / "roundsim"
