"""The shape of a scenario file: its keys, their types, and the JSON Schema that editors use.

`python -m sim.scenario` prints the JSON Schema; it is kept in `docs/scenario.schema.json`.
"""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, WithJsonSchema

from sim.base.durations import EPOCH_TEXT, parse_instant, parse_range
from sim.base.errors import ConfigError
from sim.metrics import MetricsError
from sim.metrics.cost import Budget
from sim.metrics.prices import KINDS, PriceTable
from sim.metrics.session import WINDOW_MAX
from sim.scenario.beginning import SCHEMA
from sim.scenario.mistakes import said
from sim.scenario.parsed import SEED_MAX, STRATEGIES
from sim.scenario.repeats import REPEAT_SCHEMA
from sim.scenario.repeats import SCHEMA as SCHEDULE
from sim.system.network import NETWORKS
from sim.world.timing import NEVER, Range

STEPS_MAX = 10_000_000
COUNT_MAX = 2**63 - 1


def _bare_number(value: Any, example: str) -> str:
    return f"the number {value} has no unit; write {value}ms or {value}s, such as {example}"


def _range(value: Any) -> Range:
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise ValueError(_bare_number(value, "5ms..50ms"))
    if not isinstance(value, str):
        raise ValueError(f"{said(value)} is not a duration; write one with its unit, such as 250ms or 5ms..50ms")
    try:
        return parse_range(value)
    except ConfigError as error:
        raise ValueError(str(error)) from None


def _move(value: Any) -> Range | None:
    return NEVER if value == "never" else _range(value)


def _epoch(value: Any) -> datetime:
    if not isinstance(value, str):
        raise ValueError(f"{said(value)} is not an instant of RFC 3339; write one such as {EPOCH_TEXT}")
    try:
        return parse_instant(value)
    except ConfigError as error:
        raise ValueError(str(error).replace(repr(value), said(value))) from None


def _description(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{said(value)} is not a text; put it in quotes")
    if not all(c.isprintable() or c in "\n\t" for c in value):
        raise ValueError("it contains a control character, which would reach the terminal; leave it out")
    return value


def _rates(value: Any) -> dict[str, Any]:
    """Prices of one model. Raises ValueError with all that is wrong with them."""
    if not isinstance(value, dict):
        raise ValueError(f"{said(value)} is not a price; write {{input: 3, output: 15}}, in USD per million tokens")
    try:
        PriceTable({"it": value}, snapshot=False)
    except MetricsError as error:
        raise ValueError("; ".join(mistake.removeprefix("price of it: ") for mistake in error.mistakes)) from None
    return value


def _budget(value: Any) -> Decimal:
    try:
        return Budget(value).limit_usd
    except MetricsError as error:
        raise ValueError(str(error).replace("(None: no budget)", "(for the default, leave the key out)")) from None


def _plan(value: Any) -> tuple[str, ...]:
    texts = value if isinstance(value, list) else [value]
    if not all(isinstance(text, str) for text in texts):
        raise ValueError(f"{said(value)} is not a plan; write agent_timeout:2@gemini,drop:1 or a list of such texts")
    return tuple(texts)


_DURATION = r"\d+(\.\d+)?\s*(ms|s|min|m|h|d)"
_RANGE_SCHEMA = {"type": "string", "pattern": rf"^\s*{_DURATION}\s*(\.\.\s*{_DURATION}\s*)?$"}
_MOVE_SCHEMA = {"anyOf": [{"const": "never"}, _RANGE_SCHEMA]}
_PLAN_SCHEMA = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}

_AMOUNT_SCHEMA = {"anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": r"^\d+(\.\d+)?$"}]}
_RATES_SCHEMA = {
    "type": "object",
    "properties": dict.fromkeys(KINDS, _AMOUNT_SCHEMA),
    "required": ["input", "output"],
    "additionalProperties": False,
}

RangeText = Annotated[Range, PlainValidator(_range), WithJsonSchema(_RANGE_SCHEMA)]
MoveText = Annotated[Range | None, PlainValidator(_move), WithJsonSchema(_MOVE_SCHEMA)]
PlanText = Annotated[tuple[str, ...], PlainValidator(_plan), WithJsonSchema(_PLAN_SCHEMA)]
DescriptionText = Annotated[str, PlainValidator(_description), WithJsonSchema({"type": "string"})]
EpochText = Annotated[datetime, PlainValidator(_epoch), WithJsonSchema({"type": "string", "format": "date-time"})]
RatesText = Annotated[dict[str, Any], PlainValidator(_rates), WithJsonSchema(_RATES_SCHEMA)]
AmountText = Annotated[Decimal, PlainValidator(_budget), WithJsonSchema(_AMOUNT_SCHEMA)]
Count = Annotated[int, Field(ge=0, le=COUNT_MAX)]


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, protected_namespaces=())


class TimingShape(_Shape):
    """How long things take on virtual time; durations carry units, ranges are `low..high`."""

    latency: RangeText | None = Field(default=None, description="Latency of every message.")
    links: dict[str, RangeText] = Field(
        default={}, description="Latency by link `source->target`; either side may be `*`."
    )
    moves: dict[str, MoveText] = Field(
        default={}, description="Delay of a spontaneous move by `process.move`, or `never`."
    )
    may: RangeText | None = Field(default=None, description="Delay of the environment's moves not named in `moves`.")
    restart: RangeText | None = Field(default=None, description="How long a crashed process stays down.")
    heal: RangeText | None = Field(default=None, description="How long a cut lasts.")
    late: RangeText | None = Field(default=None, description="Of a program: how much after its deadline a timer fires.")


class ExpectShape(_Shape):
    """What the run must show; what is left out is not checked."""

    verdict: Literal["ok", "violated"] | None = Field(default=None, description="What the properties say.")
    violation: str | None = Field(default=None, description="The property that is violated.")
    emitted: dict[str, Count] = Field(default={}, description="How many emissions, by class name.")
    rejected: dict[str, Count] = Field(default={}, description="How many inputs were rejected, by reason.")
    states: dict[str, str] = Field(default={}, description="The state at the end, by process or monitor.")


class MetricsShape(_Shape):
    """What is counted of the run, and what it costs; none of this changes the run."""

    enabled: bool = Field(default=True, description="Whether metrics are counted.")
    window: int | None = Field(
        default=None, ge=0, le=WINDOW_MAX, description="How many recent prompts predict the next one (3)."
    )
    context_window: int | None = Field(
        default=None, ge=1, le=COUNT_MAX, description="How many tokens a prompt may have."
    )
    models: dict[str, str] = Field(default={}, description="The model that each agent calls, by process.")
    prices: dict[str, RatesText] = Field(
        default={}, description="Prices by model, in USD per million tokens; they override the price list."
    )
    budget_usd: AmountText | None = Field(default=None, description="The budget of the run, in USD (2.00).")
    planned_turns: Count | None = Field(
        default=None, description="The turns of the whole session; the projection covers those that are left."
    )


NamesText = Annotated[
    list[str], BeforeValidator(lambda value: [value] if isinstance(value, str) else value), WithJsonSchema(_PLAN_SCHEMA)
]
"""One name alone is a list of one."""
ScheduleList = Annotated[list[Any], WithJsonSchema({"type": "array"})]
BeginsText = Annotated[dict[str, Any], WithJsonSchema(SCHEMA)]
_NETWORK: dict[str, Any] = {"type": "string", "enum": list(NETWORKS)}
NetworkText = Annotated[
    str | dict[str, Any],  # each kind is judged by itself, so that all that are wrong are told
    WithJsonSchema({"anyOf": [_NETWORK, {"type": "object", "additionalProperties": _NETWORK, "minProperties": 1}]}),
]


class ScenarioShape(_Shape):
    """A scenario of roundsim: a model, its configuration, the faults that strike it, and what is expected."""

    model: str = Field(description="Dotted name of the model, such as models.consensus.")
    description: DescriptionText = Field(default="", description="What the scenario shows.")
    config: dict[str, Any] = Field(default={}, description="The model's configuration, by parameter.")
    network: NetworkText | None = Field(
        default=None, description="Replaces the model's network: one kind, or a kind for each link."
    )
    properties: NamesText | None = Field(
        default=None, description="The only properties and monitors to judge by, by name; `stuck` is one."
    )
    faults: PlanText | None = Field(default=None, description="The fault plan, such as agent_timeout:2@gemini,drop:1.")
    strategy: str | None = Field(
        default=None, description="The strategy that picks the schedule.", json_schema_extra={"enum": list(STRATEGIES)}
    )
    seed: int | None = Field(default=None, ge=0, le=SEED_MAX, description="Fixes every pick of the strategy.")
    begins: BeginsText | None = Field(
        default=None, description="Begin with what was persisted of a run, and not at the start of the model."
    )
    schedule: ScheduleList | None = Field(default=None, description=SCHEDULE["description"])
    then: Literal["stop", "usual"] | None = Field(
        default=None, description="After the schedule: stop, or continue in the canonical order."
    )
    timing: TimingShape = Field(default=TimingShape(), description="How long things take on virtual time.")
    steps: int | None = Field(default=None, ge=1, le=STEPS_MAX, description="The longest run, in steps (10000).")
    epoch: EpochText | None = Field(default=None, description=f"The instant of virtual time 0 ({EPOCH_TEXT}).")
    metrics: MetricsShape = Field(default=MetricsShape(), description="What is counted, and what it costs.")
    expect: ExpectShape = Field(default=ExpectShape(), description="What the run must show.")


EXPECTED = {
    (): "a mapping (lines of `key: value`, at least `model: NAME`)",
    ("model",): "the dotted name of a model, such as models.consensus",
    ("description",): "text",
    ("config",): "a mapping of the model's parameters",
    ("network",): f"one of {', '.join(NETWORKS)}, or a mapping from links to them, such as app->db: fifo",
    ("properties",): "a name or a list of names, such as [stuck]",
    ("properties", "*"): "the name of a property or monitor",
    ("begins",): "a mapping of persisted, in_flight, notes",
    ("strategy",): f"one of {', '.join(STRATEGIES)}",
    ("seed",): f"a whole number from 0 to {SEED_MAX}",
    ("schedule",): "a list of actions, such as `- deliver a->b Ask`",
    ("then",): "stop or usual",
    ("timing",): "a mapping of latency, links, moves, may, restart, heal, late",
    ("timing", "links"): 'a mapping such as {"a->b": 1s}',
    ("timing", "moves"): 'a mapping such as {"user.stop": never}',
    ("steps",): f"a whole number from 1 to {STEPS_MAX}",
    ("metrics",): "a mapping of enabled, window, context_window, models, prices, budget_usd, planned_turns",
    ("metrics", "enabled"): "true or false",
    ("metrics", "window"): f"a number of turns: a whole number from 0 to {WINDOW_MAX}",
    ("metrics", "context_window"): "a number of tokens: a whole number from 1",
    ("metrics", "models"): "a mapping of agents to models, such as {gemini: gemini-2.5-pro}",
    ("metrics", "models", "*"): "the name of a model, such as gemini-2.5-pro",
    ("metrics", "prices"): "a mapping of models to prices, such as {my-model: {input: 3, output: 15}}",
    ("metrics", "budget_usd"): "an amount of USD over 0, such as 0.50",
    ("metrics", "planned_turns"): "a number of turns: a whole number from 0",
    ("expect",): "a mapping of verdict, violation, emitted, rejected, states",
    ("expect", "verdict"): "ok or violated",
    ("expect", "violation"): "the name of a property",
    ("expect", "emitted"): "a mapping of emission classes to counts",
    ("expect", "emitted", "*"): "a count: a whole number from 0",
    ("expect", "rejected"): "a mapping of reasons to counts",
    ("expect", "rejected", "*"): "a count: a whole number from 0",
    ("expect", "states"): "a mapping of processes to states",
    ("expect", "states", "*"): "the name of a state",
}
"""What is expected at each place, for the error of a value of the wrong type."""

KEYS: dict[tuple[str, ...], tuple[str, ...]] = {
    (): tuple(ScenarioShape.model_fields),
    ("timing",): tuple(TimingShape.model_fields),
    ("metrics",): tuple(MetricsShape.model_fields),
    ("expect",): tuple(ExpectShape.model_fields),
}
"""The keys of each mapping whose keys are fixed."""


EDITORS_KEY = "$schema"
"""A key that is for editors alone."""


def json_schema() -> str:
    """The JSON Schema of scenario files, as text."""
    schema = ScenarioShape.model_json_schema()
    where = {"description": "Where this JSON Schema is, for editors.", "type": "string"}
    schema["properties"] = {EDITORS_KEY: where, **schema["properties"], "schedule": SCHEDULE}
    schema["$defs"]["Repeat"] = {"title": "Repeat", **REPEAT_SCHEMA}
    for part in schema["$defs"].values():
        part["title"] = part["title"].removesuffix("Shape").lower()
    schema["title"] = "roundsim scenario"
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **_without_null(schema)}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def catalogue(url: str) -> str:
    """A catalogue, as schemastore.org has one, by which editors find the schema that is published at `url`."""
    entry = {
        "name": "roundsim scenario",
        "description": "A model, its configuration, the faults that strike it, and what is expected",
        "fileMatch": ["**/scenarios/**/*.yaml", "**/counterexamples/**/*.yaml", "*.scenario.yaml"],
        "url": url,
    }
    return json.dumps({"$schema": _CATALOGUE, "version": 1, "schemas": [entry]}, indent=2, ensure_ascii=False) + "\n"


_CATALOGUE = "https://json.schemastore.org/schema-catalog.json"


def _without_null(schema: Any) -> Any:
    """A missing key is None in our shape, but an empty value in a file is a mistake."""
    if isinstance(schema, list):
        return [_without_null(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    schema = {key: _without_null(value) for key, value in schema.items()}
    options = [option for option in schema.get("anyOf", []) if option != {"type": "null"}]
    if schema.get("default", "") is None or isinstance(schema.get("default"), dict):
        del schema["default"]
    if len(options) == 1:
        del schema["anyOf"]
        return {**options[0], **schema}
    return {**schema, "anyOf": options} if options else schema
