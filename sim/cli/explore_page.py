"""The page on which a graph is walked by hand. A path comes with every request and nothing is kept between them but the world,
so two pages may be open at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from sim.base import printing
from sim.base.errors import ConfigError, ExitStatus, SimError
from sim.base.printing import json_text, printable
from sim.base.unforeseen import told
from sim.cli.page_process import PageProcess, PageRequest
from sim.cli.page_server import HTML, JSON, Body
from sim.cli.pages import unwritten
from sim.minimiser.counterexample_file import file_name, replay_command
from sim.report.html.page import data_explored, page_explored, policy_explored
from sim.report.outcome import compare
from sim.run.guided_walk import GuidedWalk
from sim.run.of_scenario import simulate_scenario
from sim.scenario import Target, parse_scenario, scenario_text
from sim.scenario.writer import write_text
from sim.world.world import refuse_timed

PATH_MAX = 10_000
Answer = Callable[[list[int], Any], str]


def serve_explorer(target: Target, path: Sequence[int], folder: Path, again: str) -> int:
    """Serve the page until somebody interrupts; it begins at the end of `path`. `again` is the command that serves it."""
    explorer = Explorer(target, path, folder, again)
    with PageProcess(explorer.answers) as server:
        printing.out(f"{target.name}: {server.address}", "walk it in a browser on this machine; Ctrl-C ends this")
        try:
            for request in server.requests():
                server.answer(explorer.answer(request))
        except KeyboardInterrupt:
            pass
    return ExitStatus.AS_EXPECTED


class Explorer:
    """Answers what the page asks for. Raises `SimError` where the target cannot be walked at all."""

    def __init__(self, target: Target, path: Sequence[int], folder: Path, again: str) -> None:
        self._target, self._folder, self._again = target, folder, again
        self._scenario = unwritten(target)
        self._world = target.system.world()
        refuse_timed(self._world, "a walk by hand")
        self._policy = policy_explored()
        self._data = self._walked(list(path), None)
        self.answers: dict[str, Answer] = {"walk": self._walked, "ways": self._ways, "save": self._saved}

    def answer(self, request: PageRequest) -> Body:
        """What the page gets for a request."""
        if not request.path:
            return Body(HTML, page_explored(f"{self._target.name}: explored", self._data), self._policy)
        try:
            path, wish = _asked(request.posted)
            text = self.answers[request.path](path, wish)
        except SimError as error:
            text = json_text({"trouble": printable("; ".join(error.mistakes))})
        except Exception as error:
            text = json_text({"trouble": printable(told(error)[1])})
        return Body(JSON, text)

    def _walked(self, path: list[int], wish: Any) -> str:
        """The walk of this path, and then what is wished: to the next choice, or to the end."""
        with self._world.walking():
            walk = GuidedWalk(self._world, path)
            if wish in ("choice", "end"):
                walk.go_on(to_the_end=wish == "end")
            run, ways = walk.run, _ways_data(walk)
        outcome = compare(self._scenario, run, self._again)
        state = "violated" if run.finding is not None else "at rest" if walk.rests else "under way"
        more = {
            "title": printable(f"{self._target.name}: walked by hand"),
            "how": printable(f"model {self._target.model}; choose what happens next under “Next”"),
            "said": state,
            "verdict": "violated" if run.finding is not None else "incomplete",
            "explore": {
                "path": walk.path,
                "taken": [event.step for event in outcome.story.events],
                "starts": len(self._world.starts()),
                **ways,
            },
        }
        self._data = data_explored(outcome, more)
        return self._data

    def _ways(self, path: list[int], _wish: Any) -> str:
        """What may happen at the end of this path."""
        with self._world.walking():
            return json_text(_ways_data(GuidedWalk(self._world, path)))

    def _saved(self, path: list[int], _wish: Any) -> str:
        """The walk as a scenario file, which never replaces another."""
        target = self._target
        with self._world.walking():
            schedule = GuidedWalk(self._world, path).run.trace.schedule()
        keys = {
            "model": target.model,
            "config": dict(target.config) or None,
            **target.system.scenario_keys,
            "expect": None,
            "schedule": schedule,
        }
        run = simulate_scenario(parse_scenario(scenario_text(keys), "the walk", allow=(target.model,)))
        keys["expect"] = {"verdict": run.verdict} | ({} if run.finding is None else {"violation": run.finding.property})
        names = (file_name(target.model, "explored", number) for number in count(1))
        place = next(place for name in names if not (place := self._folder / name).exists())
        replay = replay_command(str(place), target.model)
        write_text(place, scenario_text(keys, ["Walked by hand.", f"Replay it with: {replay}"]))
        return json_text({"saved": printable(str(place)), "replay": printable(replay)})


def _asked(posted: Any) -> tuple[list[int], Any]:
    """The path that a request names, and what it wishes. Raises `ConfigError` for what no page of ours sends."""
    path = posted.get("path") if isinstance(posted, dict) else None
    if not isinstance(path, list) or len(path) > PATH_MAX or not all(type(n) is int and n >= 0 for n in path):
        raise ConfigError(f"a walk is asked for as a path of at most {PATH_MAX:,} whole numbers")
    return path, posted.get("wish")


def _ways_data(walk: GuidedWalk) -> dict[str, Any]:
    wrong = walk.wrong_with_rest
    return {
        "next": [[printable(way.text), way.sort.value] for way in walk.ways()],
        "rests": walk.rests,
        "wrong": None if wrong is None else printable(f"{wrong.property}: {wrong.message}"),
    }
