"""Every reader of what others may have written: one call each, from bytes. It takes what it is given, or raises a
`SimError` or what it says it raises; anything else is a defect."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from models import two_phase_commit
from sim.base.durations import parse_duration, parse_hint
from sim.base.errors import SimError
from sim.base.files import read_toml
from sim.campaign.campaign_plan import CampaignPlan
from sim.campaign.sample import Sample
from sim.campaign.sessions import discovery_from, unpack
from sim.campaign.store import CampaignStore
from sim.conform.conformance import Judging
from sim.conform.logged import read_logs
from sim.consensus.outside import HeaderError, failure_of
from sim.faults.environment import read_plan
from sim.faults.plan import parse_plan
from sim.metrics.checked import MetricsError
from sim.metrics.session import SessionMetrics
from sim.metrics.turns import Turn
from sim.metrics.usage import TokenUsage
from sim.report.status import read_record
from sim.scenario import parse_scenario
from sim.scenario.models import _listed_in
from sim.sessions.program_store import SessionStore
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


def _log(data: bytes) -> object:
    """Read, and held against a small model."""
    runs = _LOG(data).runs.values()  # type: ignore[attr-defined]
    return [_JUDGING.judge(run) for run in runs]


LOG = b"""{"roundsim_log": 1, "model": "models.two_phase_commit", "config": {"resource_managers": 1}}
{"process": "manager", "input": {"start": true}, "outputs": [], "state": "undecided", "id": "a", "run": "r"}
{"process": "rm1", "input": {"start": true}, "state": "working", "fields": {}, "run": "r"}
{"process": "rm1", "input": {"move": "prepare"}, "outputs": [{"send": {"to": "manager", "message": "Prepared",\
 "fields": {"manager": "rm1"}}}], "at": 0, "cause": ["a"], "run": "r"}
{"process": "manager", "input": {"deliver": {"from": "rm1", "message": "Prepared", "fields": {"manager": "rm1"}}},\
 "fields": {"managers": ["rm1"], "prepared": ["rm1"]}, "at": 28, "run": "r"}
{"process": "manager", "input": {"move": "commit"}, "outputs": [{"send": {"to": "rm1", "message": "Commit"}}], "run": "r"}
"""
_LOG = _file("log.jsonl", lambda path: read_logs([str(path)]))
_JUDGING = Judging(two_phase_commit.system(resource_managers=1), max_nodes=50, hints=False)


def _json(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        raise SimError("is not JSON") from None


def _usage(data: bytes) -> object:
    """By every reader of a provider's record; what one takes another may refuse."""
    record = _json(data)
    read = TokenUsage
    taken: list[TokenUsage] = []
    for reader in (
        read.from_openai,
        read.from_anthropic,
        read.from_gemini,
        read.from_langchain,
        read.from_litellm,
        read.from_otel,
    ):
        with contextlib.suppress(MetricsError):
            taken.append(reader(record))
    return taken


class _Refusal(Exception):
    """An error as client libraries raise it."""


def _headers(data: bytes) -> object:
    """A line for each header, then a body after an empty line."""
    head, _, body = data.partition(b"\n\n")
    error = _Refusal()
    pairs = [tuple(line.split(": ", 1)) for line in head.decode("latin-1").split("\n")]
    with contextlib.suppress(SimError):
        error.body = error.details = _json(body)  # type: ignore[attr-defined]
    error.status_code = 429  # type: ignore[attr-defined]
    try:
        return failure_of(error, pairs, now=datetime(2026, 1, 1, tzinfo=UTC))  # type: ignore[arg-type]
    except HeaderError as wrong:
        raise SimError(str(wrong)) from None


def _kept(text: str) -> object:
    """The data of a session of a program, as its store has it."""
    columns = dict.fromkeys(("title", "branch", "cwd", "state"), "") | dict.fromkeys(
        ("id", "created_ms", "active_ms"), 0
    )
    return _SESSIONS._kept({**columns, "data": text})  # type: ignore[arg-type]


_SESSIONS = SessionStore(Path(":memory:"), "toy")


def _coverage(data: bytes) -> object:
    with CampaignStore(Path(":memory:")) as store, store.understood():
        return unpack(data)


def _counted() -> SessionMetrics:
    session = SessionMetrics()
    session.record_turn(TokenUsage(9, 3, cached_input_tokens=2), agent="a", stage="s", latency_ms=12, wasted="late")
    return session


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
    "log": (
        _log,
        [LOG, gzip.compress(LOG, mtime=0)],
    ),
    "session": (
        lambda data: SessionMetrics.from_dict(_json(data)),
        [json.dumps(_counted().to_dict()).encode()],
    ),
    "turn": (
        lambda data: Turn.from_dict(_json(data)),
        [b'{"run": "r", "stage": "s", "agent": "a", "attempt": 1, "latency_ms": 1.5, "wasted": null, '
         b'"usage": {"input_tokens": 3, "output_tokens": 2}}'],
    ),
    "usage": (
        _usage,
        [b'{"usage": {"prompt_tokens": 20, "completion_tokens": 3, "total_tokens": 23, "prompt_tokens_details": {"cached_tokens": 4}}}',
         b'{"usage": {"input_tokens": 9, "output_tokens": 3, "cache_read_input_tokens": 4, "cache_creation": {"ephemeral_5m_input_tokens": 1}}}',
         b'{"usageMetadata": {"promptTokenCount": 4, "candidatesTokenCount": 2, "thoughtsTokenCount": 1, "totalTokenCount": 7}}',
         b'{"usage_metadata": {"input_tokens": 4, "output_tokens": 2, "total_tokens": 6, "input_token_details": {"cache_read": 1}}}',
         b'{"attributes": {"gen_ai.usage.input_tokens": 5, "gen_ai.usage.output_tokens": 2}}'],
    ),
    "headers": (
        _headers,
        [b'Retry-After: Wed, 21 Oct 2026 07:28:00 GMT\nDate: Wed, 21 Oct 2026 07:27:00 GMT\n\n{"error": {"code": "insufficient_quota"}}',
         b"anthropic-ratelimit-requests-reset: 2026-01-01T00:01:00Z\nanthropic-ratelimit-requests-remaining: 0",
         b"x-ratelimit-reset-tokens: 6m0s\nx-ratelimit-reset-requests: 1767225700", b"retry-after-ms: 20",
         b'x: y\n\n{"error": {"details": [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34s"}]}}'],
    ),
    "stored session": (_stored(_kept), [b'{"a": [1, null, {"b": "c"}]}']),
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
