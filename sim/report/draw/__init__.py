"""Machines drawn from their tables: as Mermaid, as SVG, and as the data of a page.

What belongs here: which boxes and arrows a table has, and where they go. What does not: what happened
in a run (`sim.world.story`), which only marks what is drawn here.
"""

from __future__ import annotations

from sim.report.draw.chart import Sketch, sketches
from sim.report.draw.state_diagram import mermaid
from sim.report.draw.svg import svg

__all__ = ["Sketch", "mermaid", "sketches", "svg"]
