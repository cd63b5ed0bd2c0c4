"""A system as a model makes it: what it declares, and the graph of what can happen in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.system.declaration import Declaration

if TYPE_CHECKING:
    from sim.graph.graph import Graph
    from sim.machine.handler import Handler


class System(Declaration):
    __doc__ = Declaration.__doc__

    def world(self, handler: type[Handler] | None = None) -> Graph:
        """Its graph, with empty tables; `handler` runs what the model says."""
        from sim.graph.graph import Graph  # whoever only declares a system need not wait for it

        return Graph(self) if handler is None else Graph(self, handler)
