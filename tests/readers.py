"""Every reader of what others may have written: one call each, from bytes. It takes what it is given, or raises a
`SimError` or what it says it raises; anything else is a defect."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from sim.base.durations import parse_duration, parse_hint
from sim.base.errors import SimError
from sim.base.files import read_toml
from sim.campaign.campaign_plan import CampaignPlan
from sim.campaign.sample import Sample
from sim.campaign.sessions import discovery_from, unpack
from sim.campaign.store import CampaignStore
from sim.faults.environment import read_plan
from sim.faults.plan import parse_plan
from sim.report.status import read_record
from sim.scenario import parse_scenario
from sim.scenario.models import _listed_in
from sim.surface.read import read
from sim.surface.study import load_study
from sim.surface.trees import Tree
from sim.world.address import parse_address

ROOT = Path(__file__).parents[1]


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _file(name: str, reader: Callable[[Path], object]) -> Callable[[bytes], object]:
    """A reader of a file: it is given one."""
    folder = Path(tempfile.mkdtemp(prefix="readers-"))

    def run(data: bytes) -> object:
        file = folder / f"{os.getpid()}-{name}"
        file.write_bytes(data)
        return reader(file)

    return run


def _stored(decode: Callable[[str], object]) -> Callable[[bytes], object]:
    """A reader of a column of the store."""
    store = CampaignStore(Path(":memory:"))

    def run(data: bytes) -> object:
        with store.understood():
            return decode(data.decode())

    return run


def _toml(data: bytes) -> object:
    try:
        return read_toml(data)
    except ValueError as error:
        raise SimError(str(error)) from None


def _source(name: str) -> Callable[[bytes], object]:
    return lambda data: read(Tree("t", "", {name: data, "src/lib.rs": b"pub fn f() {}", "m.py": b"x = 1"}, ()), (), [])


def _coverage(data: bytes) -> object:
    with CampaignStore(Path(":memory:")) as store, store.understood():
        return unpack(data)


def _environment(data: bytes) -> object:
    plan, _, reset = _text(data).partition("\n")
    return read_plan({"SIM_DEV_FAULTS": "1", "SPEC_KIT_FAULTS": plan, "SPEC_KIT_FAULTS_RESET": reset})


READERS: dict[str, tuple[Callable[[bytes], object], list[bytes]]] = {
    "scenario": (
        lambda data: parse_scenario(data, "s.yaml"),
        [path.read_bytes() for path in sorted((ROOT / "scenarios").rglob("*.yaml"))[:12]],
    ),
    "plan": (
        lambda data: parse_plan(_text(data)),
        [b"drop:1@gemini->coordinator, rate_limited:1(now+30s), crash:1@coordinator after Store, delay:1(5s)"],
    ),
    "environment": (_environment, [b"agent_timeout:2,429:1\n30", b"disconnect:3\nnow+30s"]),
    "address": (
        lambda data: parse_address(_text(data)),
        [b"deliver coordinator->gemini Ask(run='run-1', round=1, stage=validate)", b"crash c", b"fire c.t"],
    ),
    "duration": (lambda data: parse_duration(_text(data)), [b"250ms", b"1.5h", b"7d"]),
    "hint": (lambda data: parse_hint(_text(data)), [b"now+30s", b"2026-01-02T03:04:05Z"]),
    "record": (
        lambda data: read_record(data.decode(), "r.json"),
        [b'{"scenario": "s", "model": "m", "verdict": "ok", "as_expected": true, "seed": 1, "digest": "", "steps": 1, '
         b'"time_ms": 0, "metrics": {"enabled": true}}', b'{"runs": []}'],
    ),
    "toml": (_toml, [b"[tool.roundsim]\nmodels = ['m']\n[a.b]\nc = 1979-05-27T07:32:00Z\n"]),
    "project": (_file("pyproject.toml", _listed_in), [b"[tool.roundsim]\nmodels = ['m']\n"]),
    "study": (_file("study.toml", load_study), [(ROOT / "docs/auth-module.toml").read_bytes()]),
    "manifest": (_source("Cargo.toml"), [b"[package]\nname = 'a-b'\n[target.x.dependencies]\nc = '1'\n[lib]\nname = 'd'\n"]),
    "python": (
        _source("p.py"),
        [b"class A(B):\n    x: int = 1\n    def f(self, *a, b=2, **k) -> int: ...\n__all__ = ['A']\nfrom . import z as q\n"],
    ),
    "rust": (
        _source("src/a.rs"),
        [b"pub mod m { pub use super::*; }\n#[derive(Debug)] pub struct S<T: Copy> { pub a: Vec<T>, }\n"
         b"impl<T> S<T> { pub async fn f(&self, x: &'static str) -> Result<(), E> { Ok(()) } }\npub enum E { A(u8), B }\n"],
    ),
    "stored plan": (
        _stored(CampaignPlan.from_json),
        [b'{"target": "models.paxos", "model": "models.paxos", "text": null, "overrides": [["a", "b"]], "faults": null, '
         b'"faults_from": "--faults", "allow": [], "seed": 0, "strategy": "portfolio", "schedules": 1, "seconds": null, '
         b'"keep_going": false, "chunk": 1, "max_steps": 10}'],
    ),
    "stored finding": (
        _stored(discovery_from),
        [b'{"told": {"violated": "p", "message": "m", "schedule": ["fire a.b"], "words": ["w"], "actions": 1, '
         b'"deviations": 0, "complete": true}, "shape": ["s"], "strategy": "pos", "seed": 1, "number": 1, "steps": 1, '
         b'"times": 1}'],
    ),
    "stored sample": (_stored(Sample.from_json), [b"{}", Sample().to_json().encode()]),
    "stored coverage": (_coverage, [b'{"taken": [[1, 2]], "held": [], "visits": 1}\n123456789']),
}  # fmt: skip

SAID = (SimError, UnicodeDecodeError)
"""What a reader may raise; text that is no UTF-8 is told by who opens the file."""
