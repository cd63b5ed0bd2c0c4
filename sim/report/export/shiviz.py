"""A run as a log for ShiViz (Beschastnikh et al.: "Debugging distributed systems", CACM 2016): two lines an
event, what happened, then host and vector clock (Fidge, Mattern).

ShiViz takes the first line of a file that is uploaded for the expression by which it reads the rest, and the second
for what divides several runs; in a log that is pasted neither fits anything. The network is a host of its own: there
messages get lost and duplicated, and cuts come and go.
"""

from __future__ import annotations

from collections.abc import Iterator

from sim.base.printing import json_text, printable
from sim.report.outcome import JudgedRun
from sim.world.story import Happening, Story

NETWORK = "(network)"
EXPRESSION = r"(?<event>.*)\n(?<host>\S*) (?<clock>{.*})"
"""Also the default of ShiViz."""

Clock = dict[str, int]


def write(_outcome: JudgedRun, story: Story) -> str:
    """The text of the log."""
    return "\n".join([EXPRESSION, "", *_Clocks(story).lines(), ""])


class _Clocks:
    def __init__(self, story: Story) -> None:
        self.story = story
        self.hosts = story.processes
        self.now: dict[str, Clock] = {}
        self.at: dict[int, Clock] = {}
        """The clock with which each journey began."""

    def lines(self) -> Iterator[str]:
        for event in self.story.events:
            if event.number == 0:
                for host in self.hosts:
                    yield from self._happens(host, "start")
                for journey in event.sent:
                    self.at[journey] = dict(self.now[self.story.journeys[journey].source])
                continue
            host = event.process or NETWORK
            self._hear(host, event)
            yield from self._happens(host, event.text)
            for journey in event.sent:
                self.at[journey] = dict(self.now[host])

    def _hear(self, host: str, event: Happening) -> None:
        """What the host learns with the message that it takes, or the network with one that it has."""
        if event.journey is None:
            return
        clock = self.now.setdefault(host, {})
        beside = self.story.journeys[event.journey].beside
        began = self.at[event.journey if beside is None else beside]
        for name, ticks in began.items():
            clock[name] = max(clock.get(name, 0), ticks)

    def _happens(self, host: str, text: str) -> Iterator[str]:
        clock = self.now.setdefault(host, {})
        clock[host] = clock.get(host, 0) + 1
        yield printable(" ".join(text.split()))
        yield f"{host} {json_text(clock)}"
