"""A run as one page that needs nothing but a browser: no network, no other file.

What belongs here: the data of the page, and its parts as files (`page.html`, `page.css`, the scripts), which
are joined when a page is written. What does not: what happened (`sim.world.story`), where boxes go
(`report.draw`).

Everything of a run is data: it is in the page as JSON in which no character can end a script, and gets onto
the screen as text only. The page's policy allows its own style and script, by their hashes, and nothing else.
"""

from __future__ import annotations

from sim.report.html.beside_check import Checked
from sim.report.html.page import page

__all__ = ["Checked", "page"]
