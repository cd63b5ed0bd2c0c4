"""The JSON Schema for editors says what the loader says."""

from __future__ import annotations

import json
from pathlib import Path

from sim.scenario import STRATEGIES, json_schema
from sim.scenario.schema import EXPECTED, KEYS, ExpectShape, MetricsShape, ScenarioShape, TimingShape

KEPT = Path(__file__).parents[2] / "docs" / "scenario.schema.json"


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
    assert tuple(schema["properties"]) == KEYS[()]
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
