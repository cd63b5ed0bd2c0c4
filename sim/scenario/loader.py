"""Reads scenario files, from bytes to a `Scenario`; all mistakes of a file are reported at once."""

from __future__ import annotations

import re
import stat
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from sim.base.durations import EPOCH
from sim.base.errors import ScenarioError, SimError, nearest
from sim.base.files import unplain
from sim.faults.plan import parse_plan, split_plan
from sim.live.program_parts import ProgramParts
from sim.scenario.document import SIZE_MAX, place_at, read_document
from sim.scenario.expectation import (
    check_expectation,
    check_expectation_alone,
    read_expectation,
    read_timing,
)
from sim.scenario.measuring import read_metrics
from sim.scenario.mistakes import one_line
from sim.scenario.parsed import REPLAY, SEED_MAX, STRATEGIES, Expectation, KeptSchedule, Opened, Scenario, ScheduleItem
from sim.scenario.repeats import Written, write_out
from sim.scenario.schedule import budget_of, check_schedule, read_schedule
from sim.scenario.schema import ScenarioShape
from sim.scenario.shape import read_shape
from sim.scenario.system_reader import FAULTS_OPTION, SystemReader
from sim.scenario.tree import Node
from sim.scenario.vocabulary import Vocabulary, vocabulary
from sim.world.address import START
from sim.world.timing import Timing

MAX_STEPS = 10_000

Path_ = str | Path


def load_scenario(
    path: Path_,
    *,
    overrides: Mapping[str, str] | None = None,
    faults: str | None = None,
    faults_from: str = FAULTS_OPTION,
    seed: int | None = None,
    allow: Collection[str] = (),
) -> Scenario:
    """The scenario in the file `path`.

     - `overrides`: configuration that replaces the file's, as texts; `faults` and `network` among them are the
      scenario's own keys
    - `faults`: a fault plan that replaces the file's, `faults_from`: where it comes from; `seed`: likewise
    - `allow`: dotted names of models that may be imported besides ours and those in pyproject.toml

    Raises `ScenarioError` with one line for each mistake.
    """
    return parse_scenario(
        _read(path), path, overrides=overrides, faults=faults, faults_from=faults_from, seed=seed, allow=allow
    )


def parse_scenario(
    text: str | bytes,
    path: Path_,
    *,
    overrides: Mapping[str, str] | None = None,
    faults: str | None = None,
    faults_from: str = FAULTS_OPTION,
    seed: int | None = None,
    allow: Collection[str] = (),
) -> Scenario:
    """Like `load_scenario`, for a text; `path` is the name used in its mistakes."""
    return _Reader(str(path), dict(overrides or {}), faults, seed, allow, plan_option=faults_from).read(text)


def load_schedule(path: Path_) -> KeptSchedule:
    """The schedule in the file `path`, and whose it is, by which nothing is imported. Errors are those of
    `load_scenario`."""
    return _Reader(str(path), {}, None, None, ()).read_schedule(_read(path))


def explored_scenario(
    path: str,
    text: str | None,
    *,
    overrides: Mapping[str, str],
    faults: str | None,
    faults_from: str,
    allow: Collection[str],
) -> Scenario:
    """Like `load_scenario`, of a file whose system will be explored; `text` is its content if it was read before."""
    reader = _Reader(path, dict(overrides), faults, None, allow, explores=True, plan_option=faults_from)
    return reader.read(_read(path) if text is None else text)


def _read(path: Path_) -> bytes:
    """The bytes of a file. Raises `ScenarioError` that says why it cannot be read."""
    file, name = Path(path), one_line(str(path))
    if mistake := unplain(str(path)):
        raise ScenarioError(mistake)
    try:
        mode = file.stat().st_mode
        if stat.S_ISDIR(mode):
            raise ScenarioError(f"{name}: is a directory; name a scenario file in it")
        if file.suffix == ".py":
            module = ".".join(file.with_suffix("").parts if not file.is_absolute() else [file.stem])
            raise ScenarioError(f"{name}: is Python, not a scenario; name a model by its module: sim check {module}")
        if not stat.S_ISREG(mode):
            raise ScenarioError(f"{name}: is not a regular file; name a scenario file")
        with file.open("rb") as stream:
            data = stream.read(SIZE_MAX + 1)
    except FileNotFoundError:
        raise ScenarioError(f"{name}: no such file{_nearest_file(file)}; name a scenario file") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ScenarioError(f"{name}: cannot be read: {reason}; name a scenario file that can be read") from None
    if len(data) > SIZE_MAX:
        raise ScenarioError(f"{name}: is larger than {SIZE_MAX} bytes; a scenario is a short text")
    return data


def _nearest_file(file: Path) -> str:
    try:
        return nearest(file.name, sorted(other.name for other in file.parent.iterdir() if other.is_file())[:1000])
    except OSError:
        return ""


class _Reader(SystemReader):
    """Reads one file. With `explores` the system will be explored: then a budget does not contradict a schedule, which
    is not followed."""

    def __init__(
        self,
        path: str,
        overrides: dict[str, str],
        faults: str | None,
        seed: int | None,
        allow: Collection[str],
        *,
        explores: bool = False,
        plan_option: str = FAULTS_OPTION,
    ) -> None:
        super().__init__(path, overrides, faults, allow, plan_option)
        self.seed = seed
        self.explores = explores
        if seed is not None and not 0 <= seed <= SEED_MAX:
            self.mistakes.add(None, f"--seed {seed}: must be a whole number from 0 to {SEED_MAX}")

    def read(self, text: str | bytes) -> Scenario:
        root = self._tree(text)
        self.root = root
        shape = read_shape(root, self.mistakes)
        self.epoch = shape.epoch or EPOCH
        written = write_out(root, self.mistakes)
        self._check_schedule_alone(shape, written)
        items = None if shape.schedule is None else read_schedule(written, self.mistakes)
        expect = read_expectation(root, shape.expect)
        check_expectation_alone(root, expect, self.mistakes)
        module = self.module(shape.model)
        made = self.system(shape, module) if module is not None else None
        if module is None or made is None:
            self._check_plan_alone(shape)
            self.mistakes.raise_any()
            raise AssertionError("without a system there is a mistake")
        config, base = made
        words = vocabulary(module, base)
        timing = self._check_against(base, words, shape, items, expect)
        base = base.with_(timing=timing)
        metrics = read_metrics(root, shape, base, self.mistakes)
        plan = self.planned(shape, base, words)
        self.mistakes.raise_any()
        return Scenario(
            path=self.path,
            model=shape.model,
            config=config,
            system=self.budgeted(base, budget_of(items, base) if items is not None else plan or ()),
            model_system=base if plan is None else self.budgeted(base, plan),
            description=shape.description,
            strategy=REPLAY if items is not None else shape.strategy or STRATEGIES[0],
            seed=self.seed if self.seed is not None else shape.seed or 0,
            schedule=items,
            then=shape.then or ("usual" if isinstance(base, ProgramParts) else "stop"),
            timing=timing,
            max_steps=shape.steps or MAX_STEPS,
            epoch=self.epoch,
            expect=expect,
            faults_given=plan is not None,
            metrics=metrics,
        )

    def read_schedule(self, text: str | bytes) -> KeptSchedule:
        root = self._tree(text)
        shape = read_shape(root, self.mistakes)
        items = read_schedule(write_out(root, self.mistakes), self.mistakes)
        self.mistakes.raise_any()
        return KeptSchedule(shape.model, items)

    def _tree(self, text: str | bytes) -> Node:
        if isinstance(text, bytes):
            text = self._decoded(text)
        if len(text) > SIZE_MAX:
            raise ScenarioError(f"{self.mistakes.path}: is larger than {SIZE_MAX} bytes; a scenario is a short text")
        root = read_document(text.removeprefix("\ufeff"), self.mistakes)
        if root is None:
            if not self.mistakes:
                self.mistakes.add(place_at(""), "the file is empty; a scenario requires at least `model: NAME`")
            self.mistakes.raise_any()
        assert root is not None
        return root

    def _decoded(self, data: bytes) -> str:
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError as error:
            place, byte = place_at(data[: error.start].decode("utf-8")), data[error.start]
            self.mistakes.add(place, f"byte 0x{byte:02x} is not UTF-8; save the file as text in UTF-8")
            self.mistakes.raise_any()
            raise AssertionError from None

    def _check_schedule_alone(self, shape: ScenarioShape, written: Sequence[Written]) -> None:
        """Keys that contradict each other, whatever the system is."""
        if shape.schedule is None:
            if shape.then is not None and "schedule" not in self.root.keys:
                self.mistakes.add(
                    self.root.key_place("then"),
                    "`then` says what follows a schedule, but there is no schedule; add `schedule:` or leave `then` out",
                )
            return
        place = self.root.key_place("schedule")
        for key in ("faults", "strategy", "seed"):
            if key in self.root.keys:
                self.mistakes.add(
                    self.root.key_place(key),
                    f"`{key}` next to an explicit schedule, which already says {_SAID[key]}; leave one of them out",
                )
        if self.seed is not None:
            self.mistakes.add(
                place, f"--seed {self.seed} next to an explicit schedule, in which nothing is drawn; leave it out"
            )
        if self.plan is not None and not self.explores:
            self.mistakes.add(
                place, f"{self.plan_option} next to an explicit schedule, which already says what strikes; leave it out"
            )
        actions = len(written) - (written[:1] != [] and written[0].text.split()[:1] == [START])
        if shape.steps is not None and shape.steps < actions:
            self.mistakes.add(
                self.root.place_of("steps"),
                f"steps: {shape.steps} ends before the schedule of {actions} actions does; raise it",
            )

    def _check_against(
        self,
        system: Opened,
        words: Vocabulary,
        shape: ScenarioShape,
        items: tuple[ScheduleItem, ...] | None,
        expect: Expectation,
    ) -> Timing:
        """Checks schedule, expectations and timing against the system."""
        check_expectation(self.root, expect, system, words.emissions, self.mistakes)
        if items is not None:
            check_schedule(items, system, words, self.mistakes)
        return read_timing(self.root, shape.timing, system, self.mistakes)

    def _check_plan_alone(self, shape: ScenarioShape) -> None:
        """What is wrong with the file's plan in any system: a kind unknown to us may be one of the model's own."""
        if self.plan is not None or not shape.faults:
            return
        for place, before, text in self.plan_texts(shape.faults):
            try:
                parse_plan(text, [re.split(r"\W", part)[0] for part in split_plan(text)], self.epoch)
            except SimError as error:
                self.mistakes.add_all(place, error, before)


_SAID = {"faults": "what strikes", "strategy": "what is picked", "seed": "what is picked"}
