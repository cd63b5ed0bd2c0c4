"""Reads off a trace what its emissions say about tokens, duplicates and replays.

After the run and beside it: the trace is read and never changed, so a measured run and an unmeasured one
have one digest, and measuring a replayed trace gives the same numbers.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from sim.base.values import Emission
from sim.machine.ledgers import Rejected
from sim.machine.used import Replayed, Used
from sim.metrics.of_run import RunMetrics
from sim.metrics.settings import MetricsSettings
from sim.metrics.turns import Observed, Turn
from sim.run.trace import Trace
from sim.world.choice import MESSAGE, Choice, Sent, Subject


def meter(trace: Trace, settings: MetricsSettings | None = None) -> RunMetrics:
    """The metrics of a run: `observe`d, then summed as the settings say."""
    return RunMetrics(settings or MetricsSettings(), observe(trace))


def observe(trace: Trace) -> Observed:
    """What the emissions of a trace say.

    A turn is a `Used`; a duplicate is an input `Rejected` as `duplicate`; a replay is a `Replayed`. On
    virtual time the latency of a turn is what its client waited: from the moment the question was sent to
    the moment the answer is delivered. The answer is the message that is sent next after the `Used`, in
    the same step; the question is the last message that came from whom it goes to. An answer that is lost,
    or still on its way at the end, has no latency, and without virtual time nothing has.
    """
    observer = _Observer(trace)
    observer.start()
    for time_ms, choice in trace.steps:
        observer.step(time_ms, choice)
    latencies = observer.latencies
    turns = tuple(
        Turn(used.usage, used.agent, used.stage, used.run, used.attempt, latencies.get(number))
        for number, used in enumerate(observer.used)
    )
    return Observed(turns, observer.duplicates, observer.replays)


class _Observer:
    """Walks the steps of one trace. Equal envelopes are one action, so they count as first in, first out."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.used: list[Used] = []
        self.duplicates = 0
        self.replays = 0
        self.latencies: dict[int, int] = {}
        """By the number of a turn, in milliseconds."""
        self._stays = trace.world.stays
        self._sent: dict[Subject, deque[int]] = {}
        """Message -> when each copy in flight was sent."""
        self._asked: dict[tuple[str, str], int] = {}
        """(process, source) -> when the message was sent that the process got last from there."""
        self._answers: dict[Subject, deque[tuple[int, int]]] = {}
        """Answer in flight -> (turn, when its question was sent)."""

    def start(self) -> None:
        """What `on_start` did; a run on virtual time begins at 0."""
        steps = self.trace.steps
        time_ms = None if steps and steps[0][0] is None else 0
        for name, puts in self.trace.start.puts:
            self._puts(time_ms, name, puts)

    def step(self, time_ms: int | None, choice: Choice) -> None:
        """One step of the run."""
        if time_ms is not None and choice.takes[0] == MESSAGE:
            if choice.ends or self._stays(choice.takes):
                self._arrive(time_ms, choice)
            if not choice.mover:
                for copy in choice.brings:  # a duplicate: as old as it is
                    self._sent.setdefault(copy, deque()).append(time_ms)
                return
        self._puts(time_ms, choice.mover, choice.puts)

    def _arrive(self, time_ms: int, choice: Choice) -> None:
        """A message left the network: it was delivered, or it was lost."""
        message = choice.takes
        copies = self._sent[message]
        sent_ms = copies[0] if self._stays(message) else copies.popleft()
        answers = self._answers.get(message)
        is_taken = bool(choice.mover) and choice.address.under is None
        if is_taken:
            self._asked[choice.mover, choice.address.source] = sent_ms
        if answers and (is_taken or len(copies) < len(answers)):
            turn, asked_ms = answers.popleft()
            if is_taken:
                self.latencies[turn] = time_ms - asked_ms

    def _puts(self, time_ms: int | None, process: str, puts: Iterable[Emission | Sent]) -> None:
        waiting: list[int] = []
        for put in puts:
            if isinstance(put, Used):
                waiting.append(len(self.used))
                self.used.append(put)
            elif isinstance(put, Rejected):
                self.duplicates += put.reason == "duplicate"
            elif isinstance(put, Replayed):
                self.replays += 1
            elif isinstance(put, Sent) and time_ms is not None:
                copies = self._sent.setdefault(put.subject, deque())
                if not copies or not self._stays(put.subject):
                    copies.append(time_ms)
                asked_ms = self._asked.get((process, put.target))
                if waiting and asked_ms is not None:
                    self._answers.setdefault(put.subject, deque()).append((waiting.pop(0), asked_ms))
