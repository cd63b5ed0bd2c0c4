"""Machines drawn from their tables, as Mermaid, as SVG, and as the data of a page; a run drawn as SVG.

What belongs here: which boxes, arrows and lanes there are, and where they go. What does not: what happened in a run
(`sim.world.story`).
"""

from __future__ import annotations

from sim.report.draw.chart import Sketch, sketches
from sim.report.draw.space_time import sequence
from sim.report.draw.state_diagram import mermaid
from sim.report.draw.svg import svg

__all__ = ["Sketch", "mermaid", "sequence", "sketches", "svg"]
