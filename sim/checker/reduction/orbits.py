"""Properties on a state that stands for all that swapping alike processes makes of it."""

from __future__ import annotations

from sim.checker.reduction.images import Images
from sim.graph.graph import Graph
from sim.graph.judge import Evaluated, Judge
from sim.system.properties import Property


class OrbitJudge(Judge):
    """Judges a state by every state that it stands for."""

    def __init__(self, graph: Graph, images: Images) -> None:
        super().__init__(graph)
        self.always = [OnOrbit(images, prop.property) for prop in self.always]
        self.sometimes = [OnOrbit(images, prop.property) for prop in self.sometimes]
        self.within = OnOrbit(images, self.within.property) if self.within is not None else None


class OnOrbit(Evaluated):
    """A property on a whole orbit: an `always` holds if it holds in every state of it, a `sometimes` if it holds
    in one. So a predicate may look at some members and not at others. A bound has to say the same of all; it
    raises `ToldApart` where it does not.

    `reads` are whole classes: where a predicate reads one member, any may be in its place.
    """

    def __init__(self, images: Images, prop: Property) -> None:
        graph = images.graph
        own = [graph.tables.index[name] for name in prop.reads]
        classes = [members for members in images.members if not set(own).isdisjoint(members)]
        super().__init__(graph, prop, sorted({*own}.union(*classes)))
        self._images = images
        self._inner = Evaluated(graph, prop)
        self._place = {process: i for i, process in enumerate(self.reads)}

    def _evaluate(self, key: object) -> bool:
        first: tuple[int, ...] = (key,) if self._single else key  # type: ignore[assignment]
        said = {first: self._say(first)}
        waiting = [first]
        while waiting:
            one = waiting.pop()
            for swap in self._images.steps:
                image = self._image(swap, one)
                if image not in said:
                    said[image] = self._say(image)
                    waiting.append(image)
                    if self.property.kind == "within" and said[image] != said[first]:
                        raise self._images.told_apart(swap, str(self.property))
        verdict = any(said.values()) if self.property.kind == "sometimes" else all(said.values())
        for image in said:
            self._known[image[0] if self._single else image] = verdict
        return verdict

    def _image(self, swap: int, key: tuple[int, ...]) -> tuple[int, ...]:
        images = self._images
        after = list(key)
        for process, local in zip(self.reads, key, strict=True):
            after[self._place[images.place(swap, process)]] = images.local(swap, local)
        return tuple(after)

    def _say(self, key: tuple[int, ...]) -> bool:
        locals_ = [-1] * (self.reads[-1] + 1)
        for process, local in zip(self.reads, key, strict=True):
            locals_[process] = local
        return self._inner(tuple(locals_))
