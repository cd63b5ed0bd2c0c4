"""The JSON Schema for editors says what the loader says."""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path, PurePath
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from sim.scaffold import scaffold
from sim.scenario import STRATEGIES, json_schema, parse_scenario
from sim.scenario.schema import EDITORS_KEY, EXPECTED, KEYS, ExpectShape, MetricsShape, ScenarioShape, TimingShape

ROOT = Path(__file__).parents[2]
KEPT = ROOT / "docs" / "scenario.schema.json"
BUNDLED = sorted((ROOT / "scenarios").rglob("*.yaml"))


def test_the_schema_in_docs_is_current() -> None:
    assert KEPT.read_text("utf-8") == json_schema(), "print it anew: python -m sim.scenario > docs/scenario.schema.json"


def test_a_changed_schema_would_be_seen() -> None:
    changed = json.loads(json_schema())
    changed["properties"]["seed"]["maximum"] = 3
    assert json.dumps(changed, indent=2) + "\n" != KEPT.read_text("utf-8")


def test_the_schema_refuses_unknown_keys_and_knows_every_key() -> None:
    schema = json.loads(json_schema())
    assert schema["additionalProperties"] is False
    assert schema["required"] == ["model"]
    assert tuple(schema["properties"]) == (EDITORS_KEY, *KEYS[()])
    assert schema["properties"]["strategy"]["enum"] == list(STRATEGIES)
    assert "null" not in json_schema()
    assert all(part["additionalProperties"] is False for part in schema["$defs"].values())


def test_every_key_says_what_it_is_for() -> None:
    for shape in (ScenarioShape, TimingShape, MetricsShape, ExpectShape):
        for name, info in shape.model_fields.items():
            assert info.description, name


def test_every_key_with_a_plain_type_says_what_would_be_right() -> None:
    judged_by_themselves = {"faults", "epoch", "timing", "metrics", "expect"}
    for key in set(KEYS[()]) - judged_by_themselves:
        assert (key,) in EXPECTED
    for mapping in ("expect", "metrics"):
        for key in KEYS[mapping,]:
            assert (mapping, key) in EXPECTED


def told(text: str) -> list[str]:
    """What a validator says of a file, each with the path of the value."""
    found = Draft202012Validator(json.loads(json_schema())).iter_errors(YAML(typ="safe", pure=True).load(text))
    return sorted({".".join(map(str, error.path)) for error in found})


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(json.loads(json_schema()))


@pytest.mark.parametrize("file", BUNDLED, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_bundled_file_is_valid_and_says_where_its_schema_is(file: Path) -> None:
    text = file.read_text("utf-8")
    assert told(text) == []
    first = text.partition("\n")[0]
    assert first.startswith("# yaml-language-server: $schema=")
    assert (file.parent / first.rpartition("=")[2]).resolve() == KEPT


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("sede: 3", ""),
        ("network: fifoo", "network"),
        ("network: {a->b: fifoo}", "network"),
        ("properties: [3]", "properties"),
        ("timing: {latency: 5}", "timing.latency"),
        ("schedule: [3]", "schedule.0"),
        ("schedule: [{repeat: 0, do: [move a.b]}]", "schedule.0"),
        ("schedule: [{repeat: n, do: [move a.b]}]", "schedule.0"),
        ("schedule: [{repeat: 2, do: []}]", "schedule.0"),
        ("schedule: [{repeat: 2, do: [move a.b], od: 3}]", "schedule.0"),
        ("schedule: [{repeat: 2, do: [{repeat: 2, od: [move a.b]}]}]", "schedule.0"),
    ],
)
def test_a_file_that_is_wrong_is_told_off(text: str, where: str) -> None:
    """The saboteur: a schema that takes everything would find every bundled file valid."""
    assert told(f"model: m\n{text}\n") == [where]


def test_editors_may_be_told_of_the_schema_by_a_key() -> None:
    text = "model: models.paxos\n$schema: ../docs/scenario.schema.json\n"
    assert told(text) == []
    assert parse_scenario(text, "f.yaml").model == "models.paxos"


def catalogue(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, url: str) -> dict[str, Any]:
    monkeypatch.setattr(sys, "argv", ["sim.scenario", url])
    runpy.run_module("sim.scenario", run_name="__main__")
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_a_catalogue_leads_editors_to_the_schema(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (entry,) = catalogue(capsys, monkeypatch, "https://example.com/scenario.schema.json")["schemas"]
    assert entry["url"] == "https://example.com/scenario.schema.json"
    found = [file for file in BUNDLED if any(PurePath(file).match(glob) for glob in entry["fileMatch"])]
    assert found
    assert not any(PurePath("docker-compose.yaml").match(glob) for glob in entry["fileMatch"]), "no file of others"


def test_the_scenario_of_a_new_folder_leads_editors_to_its_schema(tmp_path: Path) -> None:
    scaffold("shop", tmp_path)
    (file,) = (tmp_path / "shop" / "scenarios").glob("*.yaml")
    text = file.read_text("utf-8")
    assert told(text) == []
    assert told(text.replace("faults:", "fauls:")) == [""], "a mistake in it would be told"
    first = text.partition("\n")[0]
    assert first.startswith("# yaml-language-server: $schema=")
    assert (file.parent / first.rpartition("=")[2]).read_text("utf-8") == json_schema()
