"""Small models in a folder of a user's own, and the command line in a process of its own."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from contextlib import closing
from pathlib import Path
from typing import Any

from sim.campaign import code, sessions
from sim.campaign.campaign_plan import CampaignPlan
from sim.campaign.code import code_of
from sim.campaign.dispatch import Campaign
from sim.campaign.engines import Engine
from sim.campaign.maker import Maker, state_folder
from sim.campaign.store import CampaignStore
from sim.campaign.worker import ChunkRequest
from sim.run.local import WorkerDied
from sim.sessions.git import GitPlace
from sim.sessions.home import Home

ROOT = Path(__file__).parents[2]

DICE = '''
"""A dealer who tells a player three numbers, in any order; some orders are bad luck."""

from numbers_of_the_dealer import NUMBERS
from sim import Message, Monitor, Emission, Process, System


class Tell(Message):
    n: int


class Heard(Emission):
    all: int


class Player(Process):
    states = ("open",)
    transitions = ({"trigger": Tell, "source": "open", "dest": None, "after": "note"},)

    heard: int = 0

    def on_start(self):
        for n in NUMBERS:
            self.send("player", Tell(n))

    def note(self, tell):
        self.heard = 10 * self.heard + tell.n
        if self.heard >= 10 ** (len(NUMBERS) - 1):
            self.emit(Heard(self.heard))


class Luck(Monitor):
    states = ("good",)
    transitions = ({"trigger": Heard, "source": "good", "dest": None, "after": "judge"},)

    bad: tuple[int, ...]

    def judge(self, heard):
        if heard.all in self.bad:
            self.violate(f"heard {heard.all}")


BAD = {"falling": (4321,), "crossed": (2143, 3412)}


def system(sound: bool = False):
    monitors = {name: Luck(bad=() if sound else bad) for name, bad in BAD.items()}
    return System({"player": Player()}, monitors=monitors)
'''
NUMBERS = "NUMBERS = (1, 2, 3, 4)\n"


def write_toy(folder: Path) -> None:
    """The model `dice` in two modules; three of its 24 orders are bad, in two ways."""
    (folder / "dice.py").write_text(DICE)
    (folder / "numbers_of_the_dealer.py").write_text(NUMBERS)


def environment(**more: str) -> dict[str, str]:
    """A process that finds this `sim` first, and where nobody watches."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("SIM_", "GIT_"))}
    return {**clean, "PYTHONPATH": str(ROOT), "CI": "1", "PYTHONDONTWRITEBYTECODE": "1", **more}


def start(folder: Path, *words: str, **more: Any) -> subprocess.Popen[str]:
    """A command of ours in `folder`, under way."""
    command = [sys.executable, "-m", "sim", *words]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, cwd=folder, **{"env": environment(), **pipes, **more})


def sim(folder: Path, *words: str, **more: Any) -> tuple[int, str, str]:
    """A command of ours in `folder`: exit status, standard output and standard error."""
    child = start(folder, *words, **more)
    out, err = child.communicate(timeout=300)
    return child.returncode, out, err


def sim_json(folder: Path, *words: str, **more: Any) -> tuple[int, dict[str, Any]]:
    """The same with --json, which prints one object and nothing else."""
    status, out, err = sim(folder, *words, "--json", **more)
    assert err == "", err
    return status, json.loads(out)


def stored(folder: Path, query: str, *values: object) -> list[tuple[Any, ...]]:
    """What the store of a folder holds; where there is none, none is made."""
    file = (folder / ".sim" / "sessions.sqlite").absolute()
    with closing(sqlite3.connect(f"{file.as_uri()}?mode=rw", uri=True)) as database, database:
        return database.execute(query, values).fetchall()


def said(data: dict[str, Any], keys: Sequence[str] = ("schedules", "steps", "states", "unseen", "transitions")) -> Any:
    """What a campaign found and covered, without what may differ: times, paths, sessions."""
    found = [{k: v for k, v in one.items() if k not in ("scenario", "replay", "text")} for one in data["found"]]
    return {key: data[key] for key in keys}, found, data["cut_short"], data["verdict"]


def has_store(folder: Path) -> bool:
    """Whether the store of a folder has come into being."""
    try:
        return bool(stored(folder, "PRAGMA user_version")[0][0])
    except sqlite3.OperationalError:
        return False


# --- in this process --------------------------------------------------------------------------------


class Inline(Executor):
    """Runs a task when it is handed out; `before` may do something with its arguments first."""

    def __init__(self, before: Callable[..., object] | None = None) -> None:
        self.before = before

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            if self.before is not None:
                self.before(*args)
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


def inline(before: Callable[..., object] | None = None, workers: int = 1) -> Engine:
    """An engine that is this process."""
    return Engine("inline", Inline(before), workers, (WorkerDied,))


def interrupt_at(first: int) -> Callable[[ChunkRequest], None]:
    """Presses ctrl-C when the chunk that begins with `first` is handed out."""

    def press(request: ChunkRequest) -> None:
        if request.first == first:
            raise KeyboardInterrupt

    return press


def a_plan(**given: Any) -> CampaignPlan:
    """A campaign of the toy, which goes on after a violation."""
    usual: dict[str, Any] = {
        "target": "dice", "model": "dice", "text": None, "overrides": (), "faults": None, "faults_from": "--faults",
        "allow": (), "seed": 0, "strategy": "portfolio", "schedules": 100, "seconds": None, "keep_going": True,
        "chunk": 10, "max_steps": 1_000,
    }  # fmt: skip
    return CampaignPlan(**{**usual, **given})


def open_store(folder: Path) -> CampaignStore:
    """The store of a folder."""
    home = Home(folder / ".sim", folder, shared=False)
    home.prepare()
    return CampaignStore(home.file, maker=Maker(state_folder(os.environ.get("XDG_STATE_HOME"))))


def a_campaign(store: CampaignStore, folder: Path, place: GitPlace | None = None, **given: Any) -> Campaign:
    """A new session of the toy, about to run."""
    plan = a_plan(**given)
    session = sessions.begin(store, "", plan, plan.load(), place or GitPlace())
    return go_on(store, session.id, folder, place)


def forget_dice() -> None:
    """Import the toy anew the next time, as a new process would."""
    for name in ("dice", "numbers_of_the_dealer"):
        sys.modules.pop(name, None)
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, code._Texts)]


def go_on(store: CampaignStore, number: int, folder: Path, place: GitPlace | None = None) -> Campaign:
    """A session of the toy, about to run again."""
    session = sessions.session(store, number)
    target, ours = session.plan.load(), code_of(session.plan.model)
    part = sessions.go_on(store, number, "0", ours, place or GitPlace())
    return Campaign(store, session, part, target, ours, folder)
