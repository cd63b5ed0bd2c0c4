"""A kept counterexample outlives changes of its model that rename nothing in it; where it no longer fits,
the replay says at which step and why."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sim.cli import call

MODEL = '''
from sim import IGNORE, Message, Process, System, always


class Put(Message):
    key: str


class Ok(Message):
    key: str


class Shelf(Process):
    """Confirms before it keeps."""

    states = ("open",)
    durable = ("kept",)
    transitions = ({"trigger": Put, "source": "open", "dest": None, "after": "put"},)

    kept: bool = False

    def put(self, put: Put) -> None:
        self.send("client", Ok(put.key))
        self.kept = True


class Client(Process):
    states = ("unsure", "sure")
    transitions = (
        {"trigger": Ok, "source": "unsure", "dest": "sure"},
        {"trigger": Ok, "source": "sure", "dest": IGNORE},
    )

    def on_start(self) -> None:
        self.send("shelf", Put("k"))


def system() -> System:
    return System(
        processes={"client": Client(), "shelf": Shelf()},
        faults="crash:1@shelf",
        properties=(
            always("kept", lambda client, shelf: client.state != "sure" or not shelf.up or shelf.kept),
        ),
    )
'''

KEPT = ["deliver client->shelf Put(key=k) crashing after Ok", "deliver shelf->client Ok(key=k)", "restart shelf"]


def changed(*edits: tuple[str, str]) -> str:
    text = MODEL
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    return text


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Writes the user's model `shelfshop`, as a version of it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def write(text: str) -> None:
        sys.modules.pop("shelfshop", None)
        (tmp_path / "shelfshop.py").write_text(text)

    yield write
    sys.modules.pop("shelfshop", None)


def found(capsys: pytest.CaptureFixture[str]) -> str:
    """The counterexample of the model as it is first."""
    assert call(["fuzz", "shelfshop"]) == 1
    capsys.readouterr()
    (path,) = Path("counterexamples").iterdir()
    assert [line for line in path.read_text().splitlines() if line.startswith("  - ")] == [
        f"  - {step}" if "=" not in step else f'  - "{step}"' for step in KEPT
    ] or all(step in path.read_text() for step in KEPT)
    return str(path)


FITS = {
    "nothing changed": (),
    "an added field of a process": (("    kept: bool = False\n", "    kept: bool = False\n    puts: int = 0\n"),),
    "an added field of a message": (
        ("class Put(Message):\n    key: str\n", "class Put(Message):\n    key: str\n    size: int = 1\n"),
    ),
    "an added process": (
        ('"shelf": Shelf()}', '"shelf": Shelf(), "other": Client()}'),
        ("Ok(put.key))", 'Ok(put.key)) if self.sender != "other" else None'),
    ),
    "processes in another order": (('"client": Client(), "shelf": Shelf()', '"shelf": Shelf(), "client": Client()'),),
    "reordered rows": (
        (
            '        {"trigger": Ok, "source": "unsure", "dest": "sure"},\n'
            '        {"trigger": Ok, "source": "sure", "dest": IGNORE},\n',
            '        {"trigger": Ok, "source": "sure", "dest": IGNORE},\n'
            '        {"trigger": Ok, "source": "unsure", "dest": "sure"},\n',
        ),
    ),
    "a renamed state and handler that no step names": (
        ("unsure", "waiting"),
        ('"put"', '"take"'),
        ("def put", "def take"),
    ),
    "a further fault in the budget": (('"crash:1@shelf"', '"crash:2@shelf,drop:1"'),),
}


@pytest.mark.parametrize("name", FITS)
def test_a_counterexample_still_replays_after(
    name: str, shop: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    shop(MODEL)
    path = found(capsys)
    shop(changed(*FITS[name]))
    assert call(["run", path, "--model", "shelfshop"]) == 0
    assert "VIOLATED    kept" in capsys.readouterr().out


MISFITS = {
    "a mended model": (
        (
            (
                '        self.send("client", Ok(put.key))\n        self.kept = True',
                '        self.kept = True\n        self.send("client", Ok(put.key))',
            ),
        ),
        1,
        "verdict: expected violated, got ok",
    ),
    "a message that is not sent any more": (
        (
            (
                '        self.send("client", Ok(put.key))\n',
                '        if put.key != "k":\n            self.send("client", Ok(put.key))\n',
            ),
        ),
        2,
        "step 1: deliver client->shelf Put(key=k) crashing after Ok does not fit here: it is in flight, but not in "
        "this way; enabled instead: deliver client->shelf Put(key=k)",
    ),
    "another content": (
        (('Put("k")', 'Put("other")'),),
        2,
        "step 1: deliver client->shelf Put(key=k) crashing after Ok does not fit here: no such message is in flight",
    ),
    "a removed field of a message": (
        (
            ("class Put(Message):\n    key: str\n", "class Put(Message):\n    pass\n"),
            ("Ok(put.key)", 'Ok("k")'),
            ('Put("k")', "Put()"),
        ),
        2,
        "Put: unknown field 'key'",
    ),
    "a renamed process": (
        (
            ('"shelf": Shelf()', '"rack": Shelf()'),
            ('"shelf", Put', '"rack", Put'),
            ("@shelf", "@rack"),
            (
                'lambda client, shelf: client.state != "sure" or not shelf.up or shelf.kept',
                'lambda client, rack: client.state != "sure" or not rack.up or rack.kept',
            ),
        ),
        2,
        "unknown process 'shelf'",
    ),
}


@pytest.mark.parametrize("name", MISFITS)
def test_a_counterexample_that_no_longer_fits_says_where_and_why_after(
    name: str, shop: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    edits, status, said = MISFITS[name]
    shop(MODEL)
    path = found(capsys)
    shop(changed(*edits))
    assert call(["run", path, "--model", "shelfshop"]) == status
    out, err = capsys.readouterr()
    assert said in out + err
    assert "Traceback" not in err
