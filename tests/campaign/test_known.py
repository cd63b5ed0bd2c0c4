"""Counterexamples that were found are replayed first by later campaigns, and said to be fixed when they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sim.campaign.known import KnownCase, KnownState, replay_known
from sim.campaign.sessions import session
from sim.campaign.store import CampaignStore
from sim.cli import call
from sim.sessions.git import GitPlace
from tests.campaign.toys import (
    a_campaign,
    environment,
    forget_dice,
    go_on,
    inline,
    open_store,
    sim_json,
    stored,
    write_toy,
)


def replayed(store: CampaignStore, here: Path) -> list[KnownCase]:
    """What a new campaign of the toy replays."""
    campaign = a_campaign(store, here)
    return replay_known(store, campaign.session, campaign.code, GitPlace())


def edit(here: Path, old: str, new: str) -> None:
    path = here / "dice.py"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    forget_dice()


def test_what_was_found_is_replayed_by_the_next_campaign(here: Path) -> None:
    with open_store(here) as store:
        answer = a_campaign(store, here).run(inline())
        known = replayed(store, here)
        assert [one.state for one in known] == [KnownState.VIOLATED] * len(answer.found)
        assert {(one.violated, one.told) for one in known} >= {(f.property, f.message) for f in answer.found}
        assert all(one.session == 1 for one in known)


def test_what_was_mended_is_said_to_be_fixed_and_what_comes_back_too(here: Path) -> None:
    with open_store(here) as store:
        a_campaign(store, here).run(inline())
        edit(here, "(4321,)", "()")
        states = {one.violated: (one.before, one.state) for one in replayed(store, here)}
        assert states == {
            "falling": (KnownState.VIOLATED, KnownState.FIXED),
            "crossed": (KnownState.VIOLATED, KnownState.VIOLATED),
        }
        assert {one.violated: one.before for one in replayed(store, here)}["falling"] is KnownState.FIXED
        edit(here, '"falling": ()', '"falling": (4321,)')
        (back,) = [one for one in replayed(store, here) if one.violated == "falling"]
        assert (back.before, back.state) == (KnownState.FIXED, KnownState.VIOLATED)
        assert back.sentence == "falling: violated again: heard 4321 (found in session 1)"


def test_a_schedule_that_no_longer_fits_says_why_and_is_not_called_fixed(here: Path) -> None:
    with open_store(here) as store:
        a_campaign(store, here).run(inline())
        (here / "numbers_of_the_dealer.py").write_text("NUMBERS = (5, 6)\n")
        forget_dice()
        known = replayed(store, here)
        assert [one.state for one in known] == [KnownState.UNFIT] * len(known)
        assert all("its counterexample no longer fits: " in one.sentence for one in known)


def test_what_is_found_anew_takes_the_place_of_one_that_no_longer_fits(here: Path) -> None:
    """Same property, same shape, another schedule: the one that fits is the one to replay."""
    with open_store(here) as store:
        a_campaign(store, here).run(inline())
        (here / "numbers_of_the_dealer.py").write_text("NUMBERS = (5, 6, 7, 8)\n")
        edit(here, '"falling": (4321,), "crossed": (2143, 3412)', '"falling": (8765,), "crossed": (6587, 7856)')
        assert {one.state for one in replayed(store, here)} == {KnownState.UNFIT}
        later = a_campaign(store, here)
        assert len(later.run(inline()).found) == 2
        known = replayed(store, here)
        assert [(one.state, one.session) for one in known] == [(KnownState.VIOLATED, later.session.id)] * 2
        assert {one.told for one in known} <= {"heard 8765", "heard 6587", "heard 7856"}
        a_campaign(store, here).run(inline())
        assert {one.session for one in replayed(store, here)} == {later.session.id}, "one that stands is kept"


def test_one_that_violates_another_property_now_is_no_fixed_one(here: Path) -> None:
    with open_store(here) as store:
        a_campaign(store, here).run(inline())
        edit(here, '"falling": (4321,), "crossed": (2143, 3412)', '"crossed": (2143, 3412, 4321), "falling": ()')
        (moved,) = [one for one in replayed(store, here) if one.violated == "falling"]
        assert (moved.state, moved.told) == (KnownState.VIOLATED, "now crossed: heard 4321")


def test_another_system_has_other_counterexamples(here: Path) -> None:
    """With another configuration the counterexample says nothing: it may hold the very switch of the bug."""
    with open_store(here) as store:
        a_campaign(store, here).run(inline())
        sound = a_campaign(store, here, overrides=(("sound", "true"),))
        assert replay_known(store, sound.session, sound.code, GitPlace()) == []
        lossy = a_campaign(store, here, faults="drop:1")
        assert replay_known(store, lossy.session, lossy.code, GitPlace()) == []


def test_another_project_has_other_counterexamples(here: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Two models of one name, kept in one SIM_HOME: what is mended in one is not in the other."""
    ours, theirs = here / "ours", here / "theirs"
    words = ("fuzz", "dice", "--keep-going", "--workers", "1", "--schedules", "40")
    shared = {"env": environment(SIM_HOME=str(tmp_path_factory.mktemp("kept")))}
    for folder in (ours, theirs):
        folder.mkdir()
        write_toy(folder)
        (folder / "pyproject.toml").touch()
    first, _ = sim_json(ours, *words, **shared)
    (theirs / "dice.py").write_text((theirs / "dice.py").read_text().replace("(4321,)", "()"))
    _, data = sim_json(theirs, *words, **shared)
    assert (first, data["known"]) == (1, [])
    _, data = sim_json(ours, *words, **shared)
    assert {one["state"] for one in data["known"]} == {"violated"}


def test_a_session_does_not_replay_what_it_has_just_found(here: Path) -> None:
    with open_store(here) as store:
        campaign = a_campaign(store, here)
        campaign.run(inline())
        assert replay_known(store, session(store, 1), campaign.code, GitPlace()) == []
        edit(here, "(4321,)", "(4321, )")
        again = go_on(store, 1, here)
        assert len(replay_known(store, again.session, again.code, GitPlace())) == len(
            stored(here, "SELECT * FROM known")
        )


def test_a_known_violation_ends_a_campaign_before_it_begins_until_it_is_mended(tmp_path: Path) -> None:
    write_toy(tmp_path)
    words = ("fuzz", "dice", "--workers", "1", "--schedules", "100")
    _, first = sim_json(tmp_path, *words)
    (found,) = first["found"]
    (tmp_path / found["scenario"]).unlink()
    status, data = sim_json(tmp_path, *words)
    assert (status, data["verdict"], data["schedules"], data["found"]) == (1, "violated", 0, [])
    (known,) = data["known"]
    assert (known["property"], known["state"], known["session"]) == (found["property"], "violated", 1)
    assert (tmp_path / known["scenario"]).exists()
    assert data["session"]["state"] == "open"
    status, data = sim_json(tmp_path, *words, "--keep-going")
    assert (status, data["schedules"]) == (1, 100)
    text = (tmp_path / "dice.py").read_text()
    (tmp_path / "dice.py").write_text(text.replace("(4321,)", "()").replace("(2143, 3412)", "()"))
    status, data = sim_json(tmp_path, "resume", "2", "--workers", "1")
    assert (status, data["verdict"], data["schedules"]) == (0, "ok", 100)
    assert {one["state"] for one in data["known"]} == {"fixed"}


def test_the_replay_command_of_a_known_one_replays_it(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with open_store(here) as store:
        a_campaign(store, here, keep_going=False).run(inline())
    forget_dice()
    assert call(["fuzz", "dice", "--workers", "1"]) == 1
    out = capsys.readouterr().out
    replay = next(line for line in out.splitlines() if "replay it with: " in line).partition("replay it with: ")[2]
    assert call([*replay.split()[1:], "--json"]) == 0
    run: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert run["verdict"] == "violated"


def test_every_counterexample_of_a_campaign_gets_its_page(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The one that it finds, the known one that stands, and that again when the session is resumed."""

    def pages(*words: str) -> list[Path]:
        for path in (here / "counterexamples").glob("*"):
            path.unlink()
        assert call([*words, "--workers", "1", "--html"]) == 1
        assert capsys.readouterr().err.startswith("sim: page written to ")
        forget_dice()
        return sorted((here / "counterexamples").glob("*.html"))

    (page,) = pages("fuzz", "dice")
    assert pages("fuzz", "dice") == [page]
    assert "heard" in page.read_text()
    assert pages("resume", "2") == [page]
    assert page.with_suffix(".yaml").exists()
