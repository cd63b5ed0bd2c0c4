"""Reads what a system is: from a model alone, or from what a scenario file says of it.

Nothing here parses a file: whoever names a model loads no parser and no schema.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

from sim.base.durations import EPOCH
from sim.base.errors import ConfigError, SimError, brief
from sim.faults.plan import FaultEntry, parse_plan, place_of, split_plan
from sim.scenario.beginning import begun
from sim.scenario.config import RESERVED, Signature, blamed, make_system, read_config, signature_of
from sim.scenario.mistakes import START, FilePlace, Mistakes
from sim.scenario.models import import_model
from sim.scenario.parsed import Opened
from sim.scenario.tree import Node
from sim.scenario.vocabulary import Vocabulary, vocabulary
from sim.system.declaration import Declaration
from sim.system.links import link_mistakes

if TYPE_CHECKING:
    from sim.scenario.schema import ScenarioShape

FAULTS_OPTION = "--faults"


class Bare(NamedTuple):
    """A model without a file: the shape of a file that names it and says nothing else."""

    model: str
    config: dict[str, Any]
    network: None = None
    properties: None = None
    faults: None = None
    begins: None = None


class SystemReader:
    """Makes the system of a model; what is wrong goes to `mistakes`."""

    def __init__(
        self,
        path: str,
        overrides: dict[str, str],
        faults: str | None,
        allow: Collection[str],
        plan_option: str = FAULTS_OPTION,
    ) -> None:
        self.path = path
        self.mistakes = Mistakes(path)
        self.overrides = overrides
        self.allow = allow
        self.epoch = EPOCH
        self.root = Node(START, {})
        self.plan_option = plan_option
        if faults is not None and "faults" in overrides:
            self.mistakes.add(None, "--faults and --set faults=... are both given; give one")
        self.plan = faults
        if faults is None and "faults" in overrides:
            self.plan, self.plan_option = overrides["faults"], "--set faults=..."

    def read_model(self, name: str) -> tuple[dict[str, Any], Opened]:
        """The configuration and system of a model that is named without a file."""
        shape = Bare(name, {})
        module = self.module(name)
        made = self.system(shape, module) if module is not None else None
        plan = None
        if module is not None and made is not None:
            plan = self.planned(shape, made[1], vocabulary(module, made[1]))
        self.mistakes.raise_any()
        assert made is not None
        config, system = made
        return config, system if plan is None else self.budgeted(system, plan)

    def module(self, model: str) -> ModuleType | None:
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

    def system(self, shape: ScenarioShape | Bare, module: ModuleType) -> tuple[dict[str, Any], Opened] | None:
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

    def _check_kept(self, signature: Signature, system: Opened, shape: ScenarioShape | Bare) -> None:
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

    def _networked(self, system: Opened, shape: ScenarioShape | Bare) -> Opened:
        """The system on the network that the file or the command line names."""
        network, before = shape.network, ""
        place: FilePlace | None = self.root.place_of("network")
        if "network" in self.overrides:
            network, place = self.overrides["network"], None
            before = f"--set network={network}: "
        elif isinstance(system, Declaration) and self._are_links_wrong(system):
            return system
        if network is None:
            return system
        try:
            return system.with_(network=network)
        except SimError as error:
            self.mistakes.add_all(place, error, before)
            return system

    def _are_links_wrong(self, system: Declaration) -> bool:
        """Whether the file names links that do not exist; each is reported at its place."""
        before = len(self.mistakes)
        for link in self.root.find(("network",))[1].keys if "network" in self.root.keys else ():
            for text in link_mistakes("network", link, system.processes) if link != "*" else ():
                self.mistakes.add(self.root.key_place("network", link), text)
        return len(self.mistakes) > before

    def _judged(self, system: Opened, shape: ScenarioShape | Bare) -> Opened:
        """The system judged by the properties that the file or the command line names."""
        names, before = shape.properties, ""
        place: FilePlace | None = self.root.place_of("properties")
        if "properties" in self.overrides:
            names, place = [name.strip() for name in self.overrides["properties"].split(",")], None
            before = "--set properties=...: "
        if names is None:
            return system
        told = {name: number for number, name in enumerate(names) if name}  # what is not a text was a mistake already
        try:
            return system.judging(*told) if told or not names else system
        except SimError as error:
            for mistake in error.mistakes:  # at its name, if it is about one
                named = [
                    number for name, number in told.items() if mistake.startswith(f"unknown property {brief(name)}")
                ]
                self.mistakes.add(self.root.place_of("properties", *named[:1]) if place else None, before + mistake)
            return system

    def planned(self, shape: ScenarioShape | Bare, system: Opened, words: Vocabulary) -> tuple[FaultEntry, ...] | None:
        """The fault plan that the file or the command line gives; None if neither does."""
        if self.plan is not None:
            return self._entries(((None, f"{self.plan_option}: ", self.plan),), system, words)
        if shape.faults is None:
            for entry in system.budget:  # an entry that fits nothing would never strike
                for wrong in words.misfits(entry, system):
                    self.mistakes.add(self.root.key_place("model"), f"{shape.model}: {wrong}")
            return None
        return self._entries(self.plan_texts(shape.faults), system, words)

    def plan_texts(self, texts: Sequence[str]) -> list[tuple[FilePlace | None, str, str]]:
        """The texts of the file's plan, each with its place and the words that introduce a mistake in it."""
        node = self.root.find(("faults",))[1]
        if isinstance(node.value, list):
            return [(self.root.place_of("faults", i), "", text) for i, text in enumerate(texts)]
        return [(node.place, "", text) for text in texts]

    def _entries(
        self, texts: Collection[tuple[FilePlace | None, str, str]], system: Opened, words: Vocabulary
    ) -> tuple[FaultEntry, ...]:
        plans = []
        for place, before, text in texts:
            try:
                plans.append((place, before, parse_plan(text, system.own_kinds, self.epoch)))
            except SimError as error:
                self.mistakes.add_all(place, error, before)
                plans.append((place, before, self._readable(text, system)))
        is_sound = _takes(system, tuple(entry for *_, entries in plans for entry in entries))
        found: dict[Hashable, FaultEntry] = {}
        for place, before, entries in plans:
            if not is_sound:  # one of them is to blame
                try:
                    system.with_(faults=entries)
                except SimError as error:
                    self.mistakes.add_all(place, error, before)
            for entry in entries:
                if not is_sound and not _takes(system, (entry,)):
                    continue
                for wrong in words.misfits(entry, system):
                    self.mistakes.add(place, before + wrong)
                if found.setdefault(place_of(entry), entry) is not entry:
                    self.mistakes.add(
                        place, f"{before}fault {brief(str(entry))} is given twice; write one entry with the sum"
                    )
        return tuple(found.values())

    def _readable(self, text: str, system: Opened) -> tuple[FaultEntry, ...]:
        """The entries of a plan that can be read, each once, so that what is wrong with them is told beside the others."""
        found: dict[Hashable, FaultEntry] = {}
        for part in split_plan(text):
            try:
                for entry in parse_plan(part, system.own_kinds, self.epoch):
                    found.setdefault(place_of(entry), entry)
            except SimError:
                continue
        return tuple(found.values())

    def budgeted(self, system: Opened, entries: tuple[FaultEntry, ...]) -> Opened:
        return system.with_(faults=entries)


def _takes(system: Opened, entries: tuple[FaultEntry, ...]) -> bool:
    try:
        system.with_(faults=entries)
    except SimError:
        return False
    return True
