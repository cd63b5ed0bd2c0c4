"""A whole council in one process: the coordinator of `models.consensus` with agents over real HTTP that fail on their first
attempts, and a folder of artifacts."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from models.consensus import system
from sim.conform.conformance import Judging
from sim.conform.logged import read_logs
from sim.host import Host, artifact
from sim.host.adapter import AdapterError
from sim.host.configured import adapter_of
from sim.host.host_log import faults_of, log_text
from sim.scenario import load_target
from tests.host.endpoints import Answer, completion, dripping, raw, said, serving

CONFIG: dict[str, Any] = {
    "agents": 3,
    "rounds": 2,
    "retries": 2,
    "stop": False,
    "answers": ("ok", "conflict", "invalid"),
}
AGENTS = ("gemini", "claude", "gpt_pro")
PROMPT = [
    {"role": "system", "content": "Say VERDICT: OK or VERDICT: CONFLICT."},
    {"role": "user", "content": "Round {round} of {stage}, attempt {attempt}."},
]
PARSE = {"conflict": "VERDICT: CONFLICT", "ok": "VERDICT: OK"}


def fine(agent: str) -> Answer:
    return said(200, completion(f"{agent} has looked. VERDICT: OK"))


async def council(folder: Path, plans: dict[str, list[Answer]], **more: Any) -> tuple[list[str], str, list[Any]]:
    """The log of a session, why it was over, and its calls."""
    async with serving(*plans["gemini"]) as one, serving(*plans["claude"]) as two, serving(*plans["gpt_pro"]) as three:
        adapters = {
            name: adapter_of(
                name,
                {
                    "kind": "chat",
                    "url": server.url(),
                    "model": name,
                    "prompt": PROMPT,
                    "parse": PARSE,
                    "timeout": "300ms",
                },
                "council.yaml",
            )
            for name, server in zip(AGENTS, (one, two, three), strict=True)
        }
        adapters["store"] = adapter_of("store", {"kind": "folder", "path": str(folder / "artifacts")}, "council.yaml")
        host = Host(
            system,
            journal=folder / "council.db",
            adapters=adapters,
            carries={"Store": "Response"},
            model="models.consensus",
            pace=50.0,
        )
        async with asyncio.timeout(60), host:
            await host.start("s1", **{**CONFIG, **more})
            why = await host.until_over("s1")
            calls = host.journal.calls("s1")
            lines = [*host.journal.trace("s1")]
            log = [*log_text(host.journal, "s1")]
            return log, f"{why} {faults_of(lines)}", calls


def artifacts(folder: Path) -> list[dict[str, Any]]:
    found = [json.loads(file.read_text("utf-8")) for file in (folder / "artifacts").iterdir()]
    return sorted(found, key=lambda one: int(one["fields"]["round"]))


def judged(folder: Path, log: list[str], faults: str) -> str:
    """Whether the log is a path of the model."""
    file = folder / "log.jsonl"
    file.write_text("".join(log), "utf-8")
    (run,) = read_logs([str(file)]).runs.values()
    settings = {key: str(list(value) if isinstance(value, tuple) else value).lower() for key, value in CONFIG.items()}
    target = load_target("models.consensus", settings, faults=faults or None)
    return Judging(target.system, hints=False).judge(run).verdict


PLANS = {
    "gemini": [said(500, {}), fine("gemini")],
    "claude": [said(200, completion("")), raw(b""), said(200, completion("who knows")), fine("claude")],
    "gpt_pro": [dripping, fine("gpt_pro")],
}


def test_a_council_decides_through_all_that_goes_wrong_and_its_log_conforms(tmp_path: Path) -> None:
    log, over, calls = asyncio.run(council(tmp_path, PLANS))
    why, _, struck = over.partition(" ")
    assert why == "over"
    found = artifacts(tmp_path)
    assert [one["key"] for one in found] == ["s1/run-1/1", "s1/run-1/2"]
    for one in found:
        told = {text["fields"]["agent"]: text["text"] for text in one["texts"]}
        assert told == {name: f"{name} has looked. VERDICT: OK" for name in told}
        assert one["fields"]["verdict"] in ("ok", "degraded")
    failures = Counter(call[5].get("failure") for call in calls)
    assert failures["server"] == failures["timeout"] == failures["empty"] == 1
    assert judged(tmp_path, log, struck) == "ok"


def test_a_body_that_cannot_be_read_is_a_broken_connection_where_the_model_has_no_word_for_it(tmp_path: Path) -> None:
    plans = {name: [fine(name)] for name in AGENTS} | {"gemini": [said(200, b"<html>"), fine("gemini")]}
    _, over, calls = asyncio.run(council(tmp_path, plans, answers=("ok",)))
    assert over == "over disconnect:1@gemini"
    assert [call[5]["failure"] for call in calls if "failure" in call[5]] == ["invalid"]


def test_a_verdict_that_nobody_gave_does_not_conform(tmp_path: Path) -> None:
    log, over, _ = asyncio.run(council(tmp_path, {name: [fine(name)] for name in AGENTS}))
    planted = [line.replace('"verdict":"ok"', '"verdict":"conflict"') for line in log]
    assert planted != log
    assert judged(tmp_path, log, over.partition(" ")[2]) == "ok"
    assert judged(tmp_path, planted, over.partition(" ")[2]) == "violated"


def test_two_decisions_of_one_key_end_the_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artifact.ArtifactKeeper, "_key_of", lambda *_: "r")
    with pytest.raises(AdapterError, match=r"store: .* holds another artifact of s1/r: a decision was made twice"):
        asyncio.run(council(tmp_path, {name: [fine(name)] for name in AGENTS}))
    assert len(artifacts(tmp_path)) == 1
