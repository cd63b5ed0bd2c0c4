"""What is handed to the extension is looked at: whatever is no such array is refused by its name, and nothing crashes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim import Process, System, check, eventually, fuzz
from sim.native import missing, walks
from sim.scenario import load_target
from tests.native import variants

FUNCTIONS = sorted(name for name in vars(walks) if not name.startswith("_"))


def recorded(name: str, walk: Any) -> tuple[Any, ...]:
    """The arguments of a call of this function that a walk made."""
    calls: list[tuple[Any, ...]] = []
    original = getattr(walks, name)

    def record(*arguments: Any) -> Any:
        calls.append(arguments)
        return original(*arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(walks, name, record)
        walk()
    return calls[len(calls) // 2]


class Clock(Process):
    """Goes on for ever."""

    states = ("tick", "tock")
    must = ("swing",)
    transitions = (
        {"trigger": "swing", "source": "tick", "dest": "tock"},
        {"trigger": "swing", "source": "tock", "dest": "tick"},
    )


@pytest.fixture(scope="module")
def calls() -> dict[str, tuple[Any, ...]]:
    """Arguments of each function, as they are in real walks."""
    system = load_target("models.two_phase_commit", {"resource_managers": "4"}).system
    owing = System({"clock": Clock(), "other": Clock()}, properties=[eventually("never", lambda clock: False)])

    def looks_at_cycles() -> None:
        check(owing, engine="compiled")

    def reduces() -> None:
        check(system, engine="compiled", reduce=True)

    def fuzzes() -> None:
        fuzz(system, engine="compiled", schedules=200)

    def walks_all() -> None:
        check(system, engine="compiled")

    special = {"expand_reduced": reduces, "run": fuzzes, "fingerprints": fuzzes}
    special |= dict.fromkeys(("depths", "reach", "components"), looks_at_cycles)
    return {name: recorded(name, special.get(name, walks_all)) for name in FUNCTIONS}


def copied(thing: Any) -> Any:
    if isinstance(thing, tuple):
        return tuple(map(copied, thing))
    return thing.copy() if isinstance(thing, np.ndarray) else thing


def places(arguments: tuple[Any, ...]) -> list[tuple[int, ...]]:
    """Where arrays are."""
    found: list[tuple[int, ...]] = []
    for i, thing in enumerate(arguments):
        if isinstance(thing, tuple):
            found += [(i, *rest) for rest in places(thing)]
        elif isinstance(thing, np.ndarray):
            found.append((i,))
    return found


def put(arguments: tuple[Any, ...], place: tuple[int, ...], spoil: Any) -> tuple[Any, ...]:
    i, *rest = place
    new = put(arguments[i], tuple(rest), spoil) if rest else spoil(arguments[i])
    return (*arguments[:i], new, *arguments[i + 1 :])


def read_only(array: Any) -> Any:
    array = array.copy()
    array.setflags(write=False)
    return array


SPOILS = {
    "another type": lambda a: a.astype(np.float64),
    "another width": lambda a: a.astype(np.int16),
    "another sign": lambda a: a.astype({"i": "u", "u": "i"}[a.dtype.kind] + str(a.dtype.itemsize)),
    "another shape": lambda a: a.reshape((1, *a.shape)),
    "every second": lambda a: np.repeat(a, 2, axis=0)[::2],
    "read only": read_only,
    "none": lambda a: None,
    "bytes": lambda a: a.tobytes(),
    "a list": lambda a: a.tolist(),
    "the other order": lambda a: a.byteswap().view(a.dtype.newbyteorder()),
}


@pytest.mark.parametrize("spoil", SPOILS)
def test_an_array_that_is_none_of_its_kind_is_refused_by_its_name(
    calls: dict[str, tuple[Any, ...]], spoil: str
) -> None:
    for name, arguments in calls.items():
        for place in places(arguments):
            if len(array := _at(arguments, place)) < 2 and spoil == "every second":
                continue
            if array.dtype.itemsize == 1 and spoil == "the other order":
                continue
            with pytest.raises((TypeError, ValueError)) as refused:
                getattr(walks, name)(*put(copied(arguments), place, SPOILS[spoil]))
            assert ":" in str(refused.value)


def _at(arguments: tuple[Any, ...], place: tuple[int, ...]) -> Any:
    for i in place:
        arguments = arguments[i]
    return arguments


def test_too_few_and_too_many_of_anything_are_refused(calls: dict[str, tuple[Any, ...]]) -> None:
    for name, arguments in calls.items():
        function = getattr(walks, name)
        for wrong in (arguments[:-1], (*arguments, 1), ()):
            with pytest.raises(TypeError):
                function(*copied(wrong))
        for i, thing in enumerate(arguments):
            for wrong in [thing[:-1], (*thing, None), ()] if isinstance(thing, tuple) else [object()]:
                with pytest.raises(TypeError):
                    function(*arguments[:i], wrong, *arguments[i + 1 :])


def test_a_table_without_a_power_of_two_of_places_is_refused(calls: dict[str, tuple[Any, ...]]) -> None:
    keys, values, more, others = calls["put_all"]
    for size in (0, 3):
        with pytest.raises(ValueError, match="power of two"):
            walks.put_all(keys[:size].copy(), values, more, others)


def test_what_is_as_it_should_be_is_taken(calls: dict[str, tuple[Any, ...]]) -> None:
    assert missing() == ""
    for name in ("expand", "run", "depths"):
        assert isinstance(getattr(walks, name)(*copied(calls[name])), int)


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The extension that looks at every index."""
    return variants.load(
        variants.builder().compile_into(tmp_path_factory.mktemp("checked"), "-O0", "-DROUNDSIM_CHECKED")
    )


@given(st.data())
def test_numbers_that_cannot_be_are_an_index_error_where_indices_are_looked_at(
    calls: dict[str, tuple[Any, ...]], checked: Any, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(["ahead", "expand", "run", "expand_reduced", "depths", "fingerprints"]))
    arguments = copied(calls[name])
    numbers = [place for place in places(arguments) if _at(arguments, place).dtype != np.uint64]  # any key is one
    place = data.draw(st.sampled_from(numbers))
    array = _at(arguments, place).reshape(-1)
    if array.size:
        at = data.draw(st.integers(0, min(array.size, 64) - 1))
        least = 0 if array.dtype.kind == "u" else -1
        array[at] = data.draw(st.sampled_from([least, 1, 127, min(100_000, np.iinfo(array.dtype).max)]))
    try:
        said = getattr(checked, name)(*arguments)
    except IndexError:
        return
    assert isinstance(said, int)
