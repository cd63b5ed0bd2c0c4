"""What all classes of references share: the switches that are on."""

from __future__ import annotations

from sim import Process

from .switches import Switches, switched


class Deviating(Process):
    """Holds its switches by name, in the field that ours has empty."""

    deviations: tuple[str, ...] = ()

    @property
    def switches(self) -> Switches:
        return switched(self.deviations)
