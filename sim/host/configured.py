"""Adapters as a configuration file says them: `{kind: chat, url: ..., model: ...}`; each mistake is one line.

| kind | keys |
|---|---|
| `chat` | `url`, `model`, `prompt`, `parse`; `otherwise`, `key_env`, `timeout`, `headers`, `options`, `proxy`, `certificates`, `bytes_max`, `invalid` |
| `anthropic` | the same, where `url` need not be said, and `max_tokens` |
| `command` | `command`, `prompt`, `parse`; `otherwise`, `timeout`, `env`, `folder`, `model`, `bytes_max`, `invalid` |
| `person` | `parse` and `otherwise`, which need not be said |
| `folder`, `sqlite` | `path`; `key`: the fields that a decision is known by |
| `silent` | |

`{class: "package.module:Class", with: {...}}` is a class of somebody's own, if whoever reads the file allows it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sim.base.durations import parse_duration
from sim.base.errors import ConfigError, SimError, brief, failure, listing, nearest, unknown
from sim.host.adapter import Adapter, AdapterError, Silent
from sim.host.wording import Patterns, Templates

Read = Callable[[Any], Any]
"""Makes of what a file says an argument. Raises `ConfigError`."""


def adapter_of(name: str, given: Any, where: str, class_of: Callable[[str], Any] | None = None) -> Adapter:
    """The adapter that stands for the process `name`, as `given`; `where` says where that is, for errors. `class_of` gives a
    class of this name or raises `ConfigError` if it is not allowed; None: none is. Raises `ConfigError`, a line for each
    mistake."""
    try:
        return _adapter(given, class_of)
    except SimError as error:
        raise ConfigError(*(f"{where}: {name}: {line}" for line in error.mistakes)) from None


def _adapter(given: Any, class_of: Callable[[str], Any] | None) -> Adapter:
    if not isinstance(given, Mapping) or not all(isinstance(key, str) for key in given):
        raise ConfigError(f"expected a kind and its keys, such as {{kind: person}}, got {_what(given)}")
    if "class" in given:
        return _of_class(given, class_of)
    kind = given.get("kind")
    if kind is None:
        raise ConfigError(f"kind is missing; use {listing([*KINDS])}, or class")
    if not isinstance(kind, str) or kind not in KINDS:
        raise ConfigError(unknown("kind", kind, KINDS))
    make, keys, needed = KINDS[kind]
    found = _read({key: value for key, value in given.items() if key != "kind"}, keys, needed, kind)
    if "otherwise" in found:
        if "parse" not in found:
            raise ConfigError("otherwise: says what is answered where no pattern of parse matches; parse is missing")
        found["parse"].otherwise = found.pop("otherwise")
    adapter = make(**found)
    for secret in getattr(adapter, "secrets", (getattr(adapter, "key", None),)):
        if secret is not None:
            _there(secret)
    return adapter


def _there(secret: Any) -> None:
    """A key that is missing is told before anything runs."""
    try:
        secret.value()
    except AdapterError as error:
        raise ConfigError(error.mistakes[0]) from None


def _read(given: Mapping[str, Any], keys: Mapping[str, Read], needed: tuple[str, ...], kind: str) -> dict[str, Any]:
    """The arguments that the keys give, under the names of the arguments."""
    found: dict[str, Any] = {}
    mistakes = []
    for key, value in given.items():
        read = keys.get(key)
        if read is None:
            right = f"use {listing([*keys])}" if keys else f"{kind} has none"
            mistakes.append(f"unknown key {brief(key)}{nearest(key, keys)}: {right}")
            continue
        try:
            found[ARGUMENTS.get(key, key)] = read(value)
        except ConfigError as error:
            mistakes += [f"{key}: {line}" for line in error.mistakes]
    mistakes += [f"{key} is missing; {kind} needs {listing(needed, 'and')}" for key in needed if key not in given]
    if mistakes:
        raise ConfigError(*mistakes)
    return found


def _of_class(given: Mapping[str, Any], class_of: Callable[[str], Any] | None) -> Adapter:
    name, arguments = given["class"], given.get("with", {})
    for key in given:
        if key not in ("class", "with"):
            raise ConfigError(f"unknown key {brief(key)}{nearest(key, ('class', 'with'))}: use class or with")
    module, colon, kind = name.partition(":") if isinstance(name, str) else ("", "", "")
    if not colon or not all(part.isidentifier() for part in (*module.split("."), kind)):
        raise ConfigError(f"class: expected the name of a class, such as package.module:Class, got {_what(name)}")
    if not isinstance(arguments, Mapping) or not all(isinstance(key, str) for key in arguments):
        raise ConfigError(f"with: expected the arguments of {kind} by name, got {_what(arguments)}")
    if class_of is None:
        raise ConfigError(f"class: {name}: only kinds can be named here: use {listing([*KINDS])}")
    cls = class_of(name)
    try:
        made = cls(**arguments)
    except SimError:
        raise
    except Exception as error:
        raise ConfigError(f"class: {name} cannot be made with this: {failure(error)}") from None
    if not callable(getattr(made, "ask", None)) or not callable(getattr(made, "close", None)):
        raise ConfigError(
            f"class: {name} is not an adapter: it needs `async def ask(question)` and `async def close()`"
        )
    adapter: Adapter = made
    return adapter


# --- kinds, loaded when they are named ------------------------------------------------------------------


def _chat(**given: Any) -> Adapter:
    from sim.host.chat_agent import ChatAgent

    return ChatAgent(**given)


def _anthropic(**given: Any) -> Adapter:
    from sim.host.chat_agent import AnthropicAgent

    return AnthropicAgent(**given)


def _command(**given: Any) -> Adapter:
    from sim.host.command_agent import CommandAgent

    return CommandAgent(**given)


def _person(**given: Any) -> Adapter:
    from sim.host.person import Person

    return Person(**given)


def _folder(**given: Any) -> Adapter:
    from sim.host.artifact_folder import ArtifactFolder

    return ArtifactFolder(given.pop("path"), **given)


def _sqlite(**given: Any) -> Adapter:
    from sim.host.artifact_file import ArtifactFile

    return ArtifactFile(given.pop("path"), **given)


# --- what may be said -----------------------------------------------------------------------------------


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ConfigError(f"expected a text, got {_what(value)}")
    return value


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not value or not all(isinstance(one, str) and one for one in value):
        raise ConfigError(f"expected a list of texts, got {_what(value)}")
    return tuple(value)


def _count(value: Any) -> int:
    if type(value) is not int or value < 1:
        raise ConfigError(f"expected a whole number of 1 or more, got {_what(value)}")
    return value


def _duration(value: Any) -> int:
    if not isinstance(value, str):
        raise ConfigError(f"expected a duration such as 30s, got {_what(value)}")
    if not (found := parse_duration(value)):
        raise ConfigError("expected more than nothing, such as 30s")
    return found


def _mapping(value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise ConfigError(f"expected keys and values, got {_what(value)}")
    return dict(value)


def _word(value: Any) -> Any:
    if not isinstance(value, str | int | bool):
        raise ConfigError(f"expected an answer of the model, got {_what(value)}")
    return value


def _variable(value: Any) -> str:
    """The name of a variable, not what is in it: that would be a key in a file."""
    if not isinstance(value, str) or not value.isidentifier() or value != value.upper():
        raise ConfigError("expected the name of the variable that holds the key, such as OPENAI_API_KEY, not the key")
    return value


def _variables(value: Any) -> tuple[str, ...]:
    return tuple(map(_variable, _texts(value)))


def _what(value: Any) -> str:
    return brief(value) if isinstance(value, str) else f"{type(value).__name__} {brief(str(value))}"


ARGUMENTS = {"timeout": "timeout_ms"}
"""Arguments that are called otherwise in a file, where a unit stands with the number."""
_READING: dict[str, Read] = {"prompt": Templates, "parse": Patterns, "otherwise": _word, "invalid": _word}
_BOUNDED: dict[str, Read] = {"timeout": _duration, "bytes_max": _count}
_HTTP: dict[str, Read] = {
    "url": _text,
    "model": _text,
    **_READING,
    "key_env": _variable,
    **_BOUNDED,
    "headers": _mapping,
    "options": _mapping,
    "proxy": _text,
    "certificates": _text,
}
_COMMAND: dict[str, Read] = {
    "command": _texts,
    **_READING,
    **_BOUNDED,
    "env": _variables,
    "folder": _text,
    "model": _text,
}
_STORE: dict[str, Read] = {"path": _text, "key": _texts}
KINDS: dict[str, tuple[Callable[..., Adapter], dict[str, Read], tuple[str, ...]]] = {
    "chat": (_chat, _HTTP, ("url", "model", "prompt", "parse")),
    "anthropic": (_anthropic, {**_HTTP, "max_tokens": _count, "version": _text}, ("model", "prompt", "parse")),
    "command": (_command, _COMMAND, ("command", "prompt", "parse")),
    "person": (_person, {"parse": Patterns, "otherwise": _word}, ()),
    "folder": (_folder, _STORE, ("path",)),
    "sqlite": (_sqlite, _STORE, ("path",)),
    "silent": (Silent, {}, ()),
}
"""By kind: what makes the adapter, the keys it has, and those that have to be there."""
