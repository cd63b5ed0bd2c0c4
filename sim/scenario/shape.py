"""Checks a tree against the schema, and reports every mismatch in words: where, what, what would be right."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from sim.base.errors import listing, unknown
from sim.scenario.mistakes import Mistakes, said
from sim.scenario.parsed import STRATEGIES
from sim.scenario.schema import EDITORS_KEY, EXPECTED, KEYS, ScenarioShape
from sim.scenario.tree import Node
from sim.system.network import NETWORKS


def read_shape(root: Node, mistakes: Mistakes) -> ScenarioShape:
    """The file as a checked shape. Whatever is wrong goes to `mistakes` and is left out of the shape, so that the rest of the file can still be checked."""
    data = root.plain()
    shape = None
    if not isinstance(data, dict):
        mistakes.add(root.place, f"expected {EXPECTED[()]}, got {said(data)}")
        mistakes.raise_any()
    where = data.pop(EDITORS_KEY, "")
    if not isinstance(where, str):
        wrong = f"{EDITORS_KEY} is {said(where)}; expected where the JSON Schema is, or leave the key out"
        mistakes.add(root.key_place(EDITORS_KEY), wrong)
    _refuse_nulls(root, data, mistakes)
    while shape is None:
        try:
            shape = ScenarioShape.model_validate(data)
        except ValidationError as error:
            paths = _report(error, root, mistakes)
            for path in paths:
                _remove(data, path)
            if "model" not in data or () in paths:
                data = {**data, "model": ""}
    _check_words(root, shape, mistakes)
    return shape


def _refuse_nulls(root: Node, data: dict[str, Any], mistakes: Mistakes) -> None:
    """An empty value is a mistake, a missing key is not; only `config` may hold nulls."""
    for keys in KEYS:
        inside = data if not keys else data.get(keys[0])
        if not isinstance(inside, dict):
            continue
        for key in [key for key, value in inside.items() if value is None and key in KEYS[keys]]:
            path = (*keys, key)
            leave = "" if path == ("model",) else ", or leave the key out"
            mistakes.add(root.key_place(*path), f"{'.'.join(path)} is empty; {_advice(path)}{leave}")
            del inside[key]
            if path == ("model",):
                inside["model"] = ""


def _report(error: ValidationError, root: Node, mistakes: Mistakes) -> list[tuple[str | int, ...]]:
    """One mistake for each place that is wrong; returns the paths of those places."""
    paths: list[tuple[str | int, ...]] = []
    for found in error.errors(include_url=False):
        loc = found["loc"]
        if found["type"] == "missing":
            mistakes.add(root.place, f"the key `{loc[-1]}` is missing; write `{loc[-1]}: {_missing(str(loc[-1]))}`")
            continue
        path, node = root.find(loc)
        if path in paths:
            continue
        paths.append(path)
        if found["type"] == "extra_forbidden":
            _unknown_key(root, path, mistakes)
        elif found["type"] == "value_error":
            mistakes.add(node.place, f"{_name(path)}: {found['ctx']['error']}")
        else:
            mistakes.add(node.place, f"{_name(path)} is {said(node.plain())}; {_advice(path)}")
    return paths


def _unknown_key(root: Node, path: tuple[str | int, ...], mistakes: Mistakes) -> None:
    *above, last = path
    known = KEYS[tuple(map(str, above))]
    inside = f"{'.'.join(map(str, above))}: " if above else ""
    mistakes.add(root.key_place(*path), f"{inside}{unknown('key', str(last), known)}")


def _remove(data: Any, path: tuple[str | int, ...]) -> None:
    """Remove what is wrong; an item of a list stays as an empty text, so that the others keep their place."""
    if not path:
        data.clear()
        return
    for step in path[:-1]:
        data = data[step]
    if isinstance(data, list):
        data[int(path[-1])] = ""
    else:
        del data[path[-1]]


def _check_words(root: Node, shape: ScenarioShape, mistakes: Mistakes) -> None:
    """Values that must be one of a few words."""
    for key, known in (("network", NETWORKS), ("strategy", STRATEGIES)):
        word = getattr(shape, key)
        if isinstance(word, str) and word not in known:
            mistakes.add(root.place_of(key), unknown(key, word, known))
            setattr(shape, key, None)
    names = root.find(("properties",))[1] if shape.properties else root
    for name in names.value if isinstance(names.value, list) else [names]:
        if name.value == "":
            mistakes.add(name.place, f"an empty name; write {EXPECTED['properties', '*']}")
    if isinstance(shape.network, dict):
        shape.network = {
            link: kind for link, kind in shape.network.items() if _is_network(root, link, kind, mistakes)
        } or None


def _is_network(root: Node, link: str, kind: Any, mistakes: Mistakes) -> bool:
    if kind in NETWORKS:
        return True
    wrong = unknown("kind", kind, NETWORKS) if isinstance(kind, str) else f"{said(kind)}; expected {listing(NETWORKS)}"
    mistakes.add(root.place_of("network", link), f"network of {link}: {wrong}")
    return False


def _missing(key: str) -> str:
    return {"model": "models.NAME"}.get(key, "...")


def _name(path: tuple[str | int, ...]) -> str:
    """`expect.emitted.Stored`, `schedule item 3`."""
    text = ".".join(str(step) for step in path if isinstance(step, str)) or "the file"
    numbers = [step + 1 for step in path if isinstance(step, int)]
    return f"{text} item {numbers[0]}" if numbers else text


def _advice(path: tuple[str | int, ...]) -> str:
    if tuple(map(str, path)) in EXPECTED:
        return f"expected {EXPECTED[tuple(map(str, path))]}"
    general = (*map(str, path[:-1]), "*")
    if general in EXPECTED:
        return f"expected {EXPECTED[general]}"
    if path[:1] == ("timing",):
        return "expected a duration with its unit, such as 250ms or 5ms..50ms"
    return {"faults": "expected a plan such as agent_timeout:2@gemini,drop:1", "epoch": "expected an instant"}.get(
        str(path[0]), "expected another value"
    )
