"""Reads scenario files, from bytes to a `Scenario`; all mistakes of a file are reported at once."""

from __future__ import annotations

import re
import stat
from collections.abc import Collection, Hashable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from sim.base.durations import EPOCH
from sim.base.errors import ConfigError, ScenarioError, SimError, brief, nearest
from sim.base.files import unplain
from sim.faults.plan import FaultEntry, parse_plan, place_of, split_plan
from sim.scenario.beginning import begun
from sim.scenario.config import RESERVED, Signature, blamed, make_system, read_config, signature_of
from sim.scenario.document import SIZE_MAX, Node, place_at, read_document
from sim.scenario.expectation import (
    check_expectation,
    check_expectation_alone,
    read_expectation,
    read_timing,
)
from sim.scenario.measuring import read_metrics
from sim.scenario.mistakes import FilePlace, Mistakes, one_line
from sim.scenario.models import import_model
from sim.scenario.parsed import Expectation, Scenario, ScheduleItem, Target
from sim.scenario.schedule import budget_of, check_schedule, read_schedule
from sim.scenario.schema import REPLAY, SEED_MAX, STRATEGIES, ScenarioShape
from sim.scenario.shape import read_shape
from sim.scenario.vocabulary import Vocabulary, vocabulary
from sim.system.declaration import Declaration
from sim.world.address import START
from sim.world.timing import Timing

MAX_STEPS = 10_000
FAULTS_OPTION = "--faults"
SUFFIXES = (".yaml", ".yml")

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


def is_model_name(target: str) -> bool:
    """Whether a target is the dotted name of a model, and not a scenario file."""
    return not ("/" in target or "\\" in target or target.endswith((*SUFFIXES, ".py")))


def load_target(
    target: str,
    overrides: Mapping[str, str] | None = None,
    *,
    faults: str | None = None,
    faults_from: str = FAULTS_OPTION,
    allow: Collection[str] = (),
    text: str | None = None,
) -> Target:
    """What `check`, `fuzz` and `draw` work on: a scenario file (a path separator, or a name that ends in
    .yaml or .yml) or a model by its dotted name. Its system keeps the model's own fault budget unless
    the file, `faults` or the override `faults` gives another. `text` is the content of the file if it was read before.

    Raises `ScenarioError`, one line for each mistake.
    """
    given = dict(overrides or {})
    if not is_model_name(target):
        reader = _Reader(target, given, faults, None, allow, explores=True, plan_option=faults_from)
        scenario = reader.read(_read(target) if text is None else text)
        return Target(target, scenario.model, scenario.config, scenario.model_system, scenario)
    reader = _Reader("", given, faults, None, {*allow, target}, explores=True, plan_option=faults_from)
    config, system = reader.read_model(target)
    return Target(target, target, config, system)


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


class _Reader:
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
        self.path = path
        self.mistakes = Mistakes(path)
        self.overrides = overrides
        self.seed = seed
        self.allow = allow
        self.explores = explores
        self.epoch = EPOCH
        if seed is not None and not 0 <= seed <= SEED_MAX:
            self.mistakes.add(None, f"--seed {seed}: must be a whole number from 0 to {SEED_MAX}")
        self.plan_option = plan_option
        if faults is not None and "faults" in overrides:
            self.mistakes.add(None, "--faults and --set faults=... are both given; give one")
        self.plan = faults
        if faults is None and "faults" in overrides:
            self.plan, self.plan_option = overrides["faults"], "--set faults=..."

    def read(self, text: str | bytes) -> Scenario:
        root = self._tree(text)
        self.root = root
        shape = read_shape(root, self.mistakes)
        self.epoch = shape.epoch or EPOCH
        self._check_schedule_alone(shape)
        items = None if shape.schedule is None else read_schedule(root, shape.schedule, self.mistakes)
        expect = read_expectation(shape.expect)
        check_expectation_alone(root, expect, self.mistakes)
        module = self._module(shape.model)
        made = self._system(shape, module) if module is not None else None
        if module is None or made is None:
            self._check_plan_alone(shape)
            self.mistakes.raise_any()
            raise AssertionError("without a system there is a mistake")
        config, base = made
        words = vocabulary(module, base)
        timing = self._check_against(base, words, shape, items, expect)
        base = base.with_(timing=timing)
        metrics = read_metrics(root, shape, base, self.mistakes)
        plan = self._plan(shape, base, words)
        self.mistakes.raise_any()
        return Scenario(
            path=self.path,
            model=shape.model,
            config=config,
            system=self._budgeted(base, budget_of(items, base) if items is not None else plan or ()),
            model_system=base if plan is None else self._budgeted(base, plan),
            description=shape.description,
            strategy=REPLAY if items is not None else shape.strategy or STRATEGIES[0],
            seed=self.seed if self.seed is not None else shape.seed or 0,
            schedule=items,
            then=shape.then or "stop",
            timing=timing,
            max_steps=shape.steps or MAX_STEPS,
            epoch=self.epoch,
            expect=expect,
            faults_given=plan is not None,
            metrics=metrics,
        )

    def read_model(self, name: str) -> tuple[dict[str, Any], Declaration]:
        """The configuration and system of a model that is named without a file."""
        self.root = Node(FilePlace(1, 1), {})
        shape = ScenarioShape(model=name)
        module = self._module(name)
        made = self._system(shape, module) if module is not None else None
        plan = None
        if module is not None and made is not None:
            plan = self._plan(shape, made[1], vocabulary(module, made[1]))
        self.mistakes.raise_any()
        assert made is not None
        config, system = made
        return config, system if plan is None else self._budgeted(system, plan)

    def _tree(self, text: str | bytes) -> Node:
        if isinstance(text, bytes):
            text = self._decoded(text)
        if len(text) > SIZE_MAX:
            raise ScenarioError(f"{self.mistakes.path}: is larger than {SIZE_MAX} bytes; a scenario is a short text")
        root = read_document(text.removeprefix("\ufeff"), self.mistakes)
        if root is None:
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

    def _check_schedule_alone(self, shape: ScenarioShape) -> None:
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
        actions = len(shape.schedule) - (shape.schedule[:1] != [] and shape.schedule[0].split()[:1] == [START])
        if shape.steps is not None and shape.steps < actions:
            self.mistakes.add(
                self.root.place_of("steps"),
                f"steps: {shape.steps} ends before the schedule of {actions} actions does; raise it",
            )

    def _module(self, model: str) -> ModuleType | None:
        if not model:
            told = bool(self.mistakes)
            if not told:
                self.mistakes.add(self.root.place_of("model"), "`model` is empty; write model: models.NAME")
            return None
        try:
            return import_model(model, self.allow)
        except ConfigError as error:
            self.mistakes.add_all(self.root.place_of("model"), error)
            return None

    def _system(self, shape: ScenarioShape, module: ModuleType) -> tuple[dict[str, Any], Declaration] | None:
        """The configuration as given and the model's system with the file's network; None after a mistake."""
        before = len(self.mistakes)
        try:
            signature = signature_of(shape.model, module)
        except ConfigError as error:
            self.mistakes.add_all(self.root.key_place("model"), error)
            return None
        config, arguments = read_config(signature, self.root, shape.config, self.overrides, self.mistakes)
        if len(self.mistakes) > before:
            return None
        try:
            system = make_system(signature, arguments)
        except SimError as error:
            for mistake in error.mistakes:
                self.mistakes.add(blamed(self.root, config, mistake), mistake)
            return None
        self._check_kept(signature, system, shape)
        system = begun(self._networked(system, shape), shape.begins, self.root, self.mistakes)
        return config, self._judged(system, shape)

    def _check_kept(self, signature: Signature, system: Declaration, shape: ScenarioShape) -> None:
        """What is said to the system itself would leave a parameter of the same name at its default, in silence."""
        for key in (name for name in RESERVED if name in signature.parameters):
            as_it_is = key == "network" and shape.network == system.network
            if key in self.overrides or (key in self.root.keys and not as_it_is):
                place = None if key in self.overrides else self.root.key_place(key)
                self.mistakes.add(
                    place,
                    f"{signature.model}.system has a parameter {key!r}, which `--set` and scenario files keep for the "
                    f"system itself; rename the parameter",
                )

    def _networked(self, system: Declaration, shape: ScenarioShape) -> Declaration:
        """The system on the network that the file or the command line names."""
        network, before = shape.network, ""
        place: FilePlace | None = self.root.place_of("network")
        if "network" in self.overrides:
            network, place = self.overrides["network"], None
            before = f"--set network={network}: "
        if network is None:
            return system
        try:
            return system.with_(network=network)
        except SimError as error:
            self.mistakes.add_all(place, error, before)
            return system

    def _judged(self, system: Declaration, shape: ScenarioShape) -> Declaration:
        """The system judged by the properties that the file or the command line names."""
        names, before = shape.properties, ""
        place: FilePlace | None = self.root.place_of("properties")
        if "properties" in self.overrides:
            names, place = [name.strip() for name in self.overrides["properties"].split(",")], None
            before = "--set properties=...: "
        if names is None:
            return system
        told = [name for name in names if name]  # what is not a text was a mistake already
        try:
            return system.judging(*told) if told or not names else system
        except SimError as error:
            self.mistakes.add_all(place, error, before)
            return system

    def _check_against(
        self,
        system: Declaration,
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

    def _plan(self, shape: ScenarioShape, system: Declaration, words: Vocabulary) -> tuple[FaultEntry, ...] | None:
        """The fault plan that the file or the command line gives; None if neither does."""
        if self.plan is not None:
            return self._entries(((None, f"{self.plan_option}: ", self.plan),), system, words)
        if shape.faults is None:
            for entry in system.budget:  # an entry that fits nothing would never strike
                for wrong in words.misfits(entry, system):
                    self.mistakes.add(self.root.key_place("model"), f"{shape.model}: {wrong}")
            return None
        return self._entries(self._plan_texts(shape.faults), system, words)

    def _plan_texts(self, texts: Sequence[str]) -> list[tuple[FilePlace | None, str, str]]:
        """The texts of the file's plan, each with its place and the words that introduce a mistake in it."""
        node = self.root.find(("faults",))[1]
        if isinstance(node.value, list):
            return [(self.root.place_of("faults", i), "", text) for i, text in enumerate(texts)]
        return [(node.place, "", text) for text in texts]

    def _check_plan_alone(self, shape: ScenarioShape) -> None:
        """What is wrong with the file's plan in any system: a kind unknown to us may be one of the model's own."""
        if self.plan is not None or not shape.faults:
            return
        for place, before, text in self._plan_texts(shape.faults):
            try:
                parse_plan(text, [re.split(r"\W", part)[0] for part in split_plan(text)], self.epoch)
            except SimError as error:
                self.mistakes.add_all(place, error, before)

    def _entries(
        self, texts: Collection[tuple[FilePlace | None, str, str]], system: Declaration, words: Vocabulary
    ) -> tuple[FaultEntry, ...]:
        plans = []
        for place, before, text in texts:
            try:
                plans.append((place, before, parse_plan(text, system.own_kinds, self.epoch)))
            except SimError as error:
                self.mistakes.add_all(place, error, before)
        is_sound = _takes(system, tuple(entry for *_, entries in plans for entry in entries))
        found: dict[Hashable, FaultEntry] = {}
        for place, before, entries in plans:
            if not is_sound:  # one of them is to blame
                try:
                    system.with_(faults=entries)
                except SimError as error:
                    self.mistakes.add_all(place, error, before)
                    continue
            for entry in entries:
                for wrong in words.misfits(entry, system):
                    self.mistakes.add(place, before + wrong)
                if found.setdefault(place_of(entry), entry) is not entry:
                    self.mistakes.add(
                        place, f"{before}fault {brief(str(entry))} is given twice; write one entry with the sum"
                    )
        return tuple(found.values())

    def _budgeted(self, system: Declaration, entries: tuple[FaultEntry, ...]) -> Declaration:
        return system.with_(faults=entries)


def _takes(system: Declaration, entries: tuple[FaultEntry, ...]) -> bool:
    try:
        system.with_(faults=entries)
    except SimError:
        return False
    return True


_SAID = {"faults": "what strikes", "strategy": "what is picked", "seed": "what is picked"}
