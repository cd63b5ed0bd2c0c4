"""A run as a log for ShiViz (Beschastnikh et al.: "Debugging distributed systems", CACM 2016): two lines an
event, host and vector clock (Fidge, Mattern), then what happened.

The network is a host of its own: there messages get lost and doubled, and cuts come and go.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from sim.report.outcome import Outcome
from sim.report.story import Event, Story

NETWORK = "(network)"

Clock = dict[str, int]


def write(_outcome: Outcome, story: Story) -> str:
    """The text of the log."""
    return "\n".join([*_Clocks(story).lines(), ""])


class _Clocks:
    def __init__(self, story: Story) -> None:
        self.story = story
        self.hosts = {name: re.sub(r"\s", "_", name) for name in story.graph.names[: story.graph.width]}
        self.now: dict[str, Clock] = {}
        self.at: dict[int, Clock] = {}
        """The clock with which each journey began."""

    def lines(self) -> Iterator[str]:
        for event in self.story.events:
            if event.number == 0:
                for host in self.hosts.values():
                    yield from self._happens(host, "start")
                for journey in event.sent:
                    self.at[journey] = dict(self.now[self.hosts[self.story.journeys[journey].source]])
                continue
            host = self.hosts[event.process] if event.process else NETWORK
            self._hear(host, event)
            yield from self._happens(host, event.text)
            for journey in event.sent:
                self.at[journey] = dict(self.now[host])

    def _hear(self, host: str, event: Event) -> None:
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
        yield f"{host} {json.dumps(clock, ensure_ascii=False)}"
        yield " ".join(text.split())
