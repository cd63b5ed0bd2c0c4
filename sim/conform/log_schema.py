"""The lines of a log, as pydantic checks them and as JSON Schema."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter

FORMAT = 1
"""The version in the header."""

Name = Annotated[str, Field(min_length=1)]
Fields = Annotated[dict[str, JsonValue] | None, Field(description="Fields that are left out fit anything.")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, populate_by_name=True)


class LogHeader(_Strict):
    """The first line of a file."""

    roundsim_log: Literal[1]
    model: str | None = None
    config: dict[str, JsonValue] | None = None
    processes: list[Name] | None = Field(
        None, description="Who is observed; left out: those that have a line. One that has none did nothing."
    )


class Arrival(_Strict):
    """A message that is taken."""

    source: Name = Field(alias="from")
    message: Name
    fields: Fields = None


class Input(_Strict):
    """What a process was given: exactly one of these; `crash` beside another one is a crash in the middle of it."""

    deliver: Arrival | None = None
    fire: Name | None = None
    move: Name | None = None
    fault: Name | None = Field(
        None, description="A kind of domain fault; `from`, `message`, `fields` say what it struck."
    )
    source: Name | None = Field(None, alias="from")
    message: Name | None = None
    fields: Fields = None
    start: Literal[True] | None = None
    crash: Literal[True] | None = None
    restart: Literal[True] | None = None


class Sending(_Strict):
    """A message that is sent."""

    to: Name | None = None
    message: Name
    fields: Fields = None


class Telling(_Strict):
    """Something that is emitted."""

    name: Name
    fields: Fields = None


class Put(_Strict):
    """An output: `send` or `emit`."""

    send: Sending | None = None
    emit: Telling | None = None


class RawLine(_Strict):
    """What one process did with one input."""

    process: Name
    input: Input
    outputs: list[Put] | None = Field(None, description="All that it sent and emitted; left out: not recorded.")
    state: Name | None = Field(None, description="The state afterwards.")
    fields: Fields = None
    at: int | None = Field(None, description="Milliseconds of the clock of this process.")
    id: str | None = None
    cause: str | list[str] | None = Field(None, description="Ids of lines that came before this one.")
    run: str | None = None


LINE: TypeAdapter[RawLine] = TypeAdapter(RawLine)
HEADER: TypeAdapter[LogHeader] = TypeAdapter(LogHeader)


def json_schema() -> str:
    """The JSON Schema of one line: the header, or what a process did."""
    schema: dict[str, Any] = TypeAdapter(LogHeader | RawLine).json_schema(by_alias=True)
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "A line of a log of roundsim"}
    return json.dumps({**head, **schema}, indent=2) + "\n"
