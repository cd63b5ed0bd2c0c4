"""The configuration of a model: the keyword parameters of its `system()`, checked by their annotations."""

from __future__ import annotations

import inspect
import json
import re
import types
import typing
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import ModuleType
from typing import Any

from sim.base.errors import ConfigError, ModelError, SimError, brief, failure, listing, nearest, text_of, unknown
from sim.base.overdue import WATCH
from sim.scenario.mistakes import FilePlace, Mistakes, said
from sim.scenario.models import culprit
from sim.scenario.parsed import Opened
from sim.scenario.tree import Node, Plain, resolve

RESERVED = ("faults", "network", "properties")
"""Keys that `--set` takes for every model; no parameter of a model may have such a name."""

_ANY = inspect.Parameter.empty

_AS_IT_IS = (int, bool)
"""Annotations whose values need no library to be judged, so that `--set agents=3` loads none."""


class Refusal(ValueError):
    """A value that a parameter does not accept."""


@dataclass(frozen=True)
class Parameter:
    """One keyword parameter of a model's `system()`."""

    name: str
    annotation: Any
    required: bool

    def read(self, value: Plain, *, alone: bool = True) -> Any:
        """`value` of a file, converted to the type of the annotation; with `alone` a single name is a list of one where a
        list is expected. Raises `Refusal`."""
        if self.annotation is _ANY or self.annotation is Any:
            return _frozen(value)
        if type(value) is self.annotation and self.annotation in _AS_IT_IS:
            return value
        from pydantic import PydanticSchemaGenerationError, PydanticUserError, TypeAdapter, ValidationError

        try:
            adapter: TypeAdapter[Any] = TypeAdapter(self.annotation)
        except (PydanticSchemaGenerationError, PydanticUserError):
            return _frozen(value)  # a type unknown to files: the model itself must judge
        is_name = alone and isinstance(value, str) and "," not in value
        for meant in (value, [value]) if is_name else (value,):
            try:
                return adapter.validate_json(json.dumps(meant), strict=True)  # a list of a file may be a tuple
            except ValidationError:
                continue
        shown = f"the list {brief(json.dumps(value))}" if isinstance(value, list) else said(value)
        raise Refusal(f"{shown}; expected {spoken(self.annotation)}")

    def parse(self, text: str) -> Plain:
        """The plain value that `text` of `--set` stands for. Raises `Refusal`."""
        for candidate in _meanings(text):
            try:
                self.read(candidate, alone=False)
            except Refusal:
                continue
            return candidate
        raise Refusal(f"{brief(text)}; expected {spoken(self.annotation)}")


@dataclass(frozen=True)
class Signature:
    """The parameters of a model."""

    model: str
    parameters: Mapping[str, Parameter]
    open: bool
    """Whether it accepts any other key as well."""
    call: Any = field(repr=False)

    def unknown(self, key: str, also: Collection[str] = ()) -> str:
        """What is wrong with a key that is not a parameter, and what would be right."""
        known = [*self.parameters, *also]
        return f"{self.model}: {unknown('parameter', key, known)}"


def signature_of(model: str, module: ModuleType) -> Signature:
    """The parameters of a model's `system()`."""
    call: Any = module.system
    if not inspect.isfunction(call):  # `os.system` is one too
        raise ConfigError(
            f"{model}.system is not a Python function; define the model with `def system(...) -> Declaration`"
        )
    try:
        found = inspect.signature(call, eval_str=True)
    except (NameError, TypeError, SyntaxError, AttributeError):
        try:
            found = inspect.signature(call)  # annotations that only a type checker can resolve
        except (ValueError, TypeError):
            raise ConfigError(
                f"{model}.system has no signature that can be read; define it with `def system(...)`"
            ) from None
    parameters, is_open = {}, False
    for p in found.parameters.values():
        if p.kind is p.VAR_KEYWORD:
            is_open = True
        elif p.kind is not p.VAR_POSITIONAL:
            annotation = _ANY if isinstance(p.annotation, str) else p.annotation
            parameters[p.name] = Parameter(p.name, annotation, p.default is p.empty)
    return Signature(model, parameters, is_open, call)


def read_config(
    signature: Signature, root: Node, config: dict[str, Plain], overrides: Mapping[str, str], mistakes: Mistakes
) -> tuple[dict[str, Plain], dict[str, Any]]:
    """The configuration as given, overrides included, and the arguments that it means."""
    given, arguments = dict(config), {}
    for key, value in config.items():
        parameter = signature.parameters.get(key)
        if parameter is None:
            if not signature.open:
                beside = f"; `{key}` belongs next to `config`, not in it" if key in RESERVED else ""
                mistakes.add(root.key_place("config", key), signature.unknown(key) + beside)
            else:
                arguments[key] = _frozen(value)
            continue
        try:
            arguments[key] = parameter.read(value)
        except Refusal as refusal:
            if key not in overrides:
                mistakes.add(root.place_of("config", key), f"config.{key} is {refusal}")
    for key, text in overrides.items():
        run_together = _run_together(text, [*signature.parameters, *RESERVED])
        if run_together:
            settings = " ".join(f"--set {part}" for part in (f"{key}={run_together[0]}", *run_together[1:]))
            mistakes.add(None, f"--set {key}={text}: each setting has a --set of its own; write {settings}")
            continue
        if key in RESERVED:
            continue
        parameter = signature.parameters.get(key)
        if parameter is None and not signature.open:
            mistakes.add(None, f"--set {key}={text}: {signature.unknown(key, RESERVED)}")
            continue
        try:
            given[key] = (parameter or Parameter(key, _ANY, False)).parse(text)
            arguments[key] = (parameter or Parameter(key, _ANY, False)).read(given[key])
        except Refusal as refusal:
            mistakes.add(None, f"--set {key}={text}: {key} is {refusal}")
    for name, parameter in signature.parameters.items():
        if parameter.required and name not in given:
            mistakes.add(
                root.key_place("config") if "config" in root.keys else root.key_place("model"),
                f"{signature.model} requires the parameter {name!r}; write it under `config:`, or pass --set {name}=...",
            )
    return given, arguments


def make_system(signature: Signature, arguments: Mapping[str, Any]) -> Opened:
    """The model's system, or its program. Raises `ModelError`, one line each, whatever the model raises."""
    try:
        with WATCH.during(f"system() of {signature.model}"):
            made = signature.call(**arguments)
    except SimError as error:
        how = "rejects its configuration" if arguments or isinstance(error, ConfigError) else "builds no system"
        raise ModelError(*(f"{signature.model} {how}: {text}" for text in error.mistakes)) from None
    except ValueError as error:
        raise ModelError(f"{signature.model} rejects its configuration: {text_of(error)}") from None
    except BaseException as error:  # a model is the user's code: its defects are reported, not thrown
        raise ModelError(
            f"{signature.model}.system() failed with {failure(error)}{culprit(error)}; fix the model"
        ) from None
    if not isinstance(made, Opened):
        raise ModelError(
            f"{signature.model}.system() returned {type(made).__name__}; it must return a System, or a Program"
        )
    return made


def blamed(root: Node, config: Mapping[str, Plain], text: str) -> FilePlace:
    """The place of the configuration key that a model's complaint is about, if it can be found."""
    if "config" not in root.keys:
        return root.key_place("model")
    words = set(text.replace("'", " ").replace("=", " ").replace(",", " ").replace(":", " ").split())
    named = [key for key in config if key in words and key in root.find(("config",))[1].keys]
    return root.key_place("config", named[0]) if len(named) == 1 else root.key_place("config")


def _run_together(text: str, known: Collection[str]) -> list[str]:
    """The parts of a text of `--set` in which more settings follow after a comma (`early,agents=3`); a list or a text
    would take them in silently. What follows counts as a setting if it names a parameter, or nearly does. Empty if
    there are none."""
    value, *rest = re.split(r",\s*(?=[^\W\d]\w*\s*=)", text)
    names = [part.partition("=")[0].strip() for part in rest]
    return [value, *rest] if any(name in known or nearest(name, known) for name in names) else []


def _meanings(text: str) -> list[Plain]:
    """What a text of `--set` may mean, the most likely first."""
    bare = text.strip()
    if bare.startswith("[") and bare.endswith("]"):
        from sim.scenario.document import read_document

        unheard = Mistakes("--set")
        tree = read_document(bare, unheard)
        return [tree.plain(), text] if tree is not None and not unheard else [text]
    parts = [part.strip() for part in bare.split(",") if part.strip()]
    return [*([resolve(bare)] if bare else []), text, [resolve(part) for part in parts], parts]


def _frozen(value: Plain) -> Any:
    """Lists become tuples: a process holds only values."""
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


_SPOKEN: dict[Any, str] = {
    int: "a whole number",
    bool: "true or false",
    str: "text",
    float: "a number",
    type(None): "null",
    _ANY: "a value",
}


def spoken(annotation: Any) -> str:
    """An annotation in words, for the error of a value that does not fit."""
    if annotation in _SPOKEN:
        return _SPOKEN[annotation]
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return spoken(inner[0])
    if origin is typing.Literal:
        return f"one of {listing([str(option) for option in inner])}"
    if origin in (typing.Union, types.UnionType):
        return listing([spoken(option) for option in inner])
    if origin in (tuple, list, frozenset, set, Collection) and inner:
        kinds = list(dict.fromkeys(spoken(option) for option in inner if option is not ...))
        return f"a list, each {listing(kinds)}" if len(kinds) == 1 else f"a list of {listing(kinds, 'and')}"
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return f"one of {listing([str(member.value) for member in annotation])}"
    return f"a {getattr(annotation, '__name__', annotation)}"
