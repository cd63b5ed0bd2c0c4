"""Reads off a trace what its emissions say of tokens, duplicates and replays.

After the run and beside it: the trace is read and never changed, so a measured run and an unmeasured one
have one digest, and measuring a replayed trace gives the same numbers.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from sim.graph.action import Action
from sim.machine.ledgers import Rejected
from sim.machine.process import Emit, Output, Send
from sim.machine.used import Replayed, Used
from sim.metrics.of_run import RunMetrics
from sim.metrics.settings import MetricsSettings
from sim.metrics.turns import Observed, Turn
from sim.run.trace import Trace


def meter(trace: Trace, settings: MetricsSettings | None = None) -> RunMetrics:
    """The metrics of a run: `observe`d, then summed as the settings say."""
    return RunMetrics(settings or MetricsSettings(), observe(trace))


def observe(trace: Trace) -> Observed:
    """What the emissions of a trace say.

    A turn is a `Used`; a duplicate is an input `Rejected` as `duplicate`; a replay is a `Replayed`. On
    virtual time the latency of a turn is what its client waited: from the moment the question was sent to
    the moment the answer is delivered. The answer is the message that is sent next after the `Used`, in
    the same step; the question is the last message that came from whom it goes to. An answer that is lost,
    or still on its way at the end, has no latency, and without virtual time none has.
    """
    observer = _Observer(trace)
    observer.start()
    for time_ms, action in trace.steps:
        observer.step(time_ms, action)
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
        self._stays = trace.graph.system.network == "set"  # there a message is in flight for ever
        self._sent: dict[int, deque[int]] = {}
        """Envelope -> when each copy in flight was sent."""
        self._asked: dict[tuple[str, str], int] = {}
        """(process, source) -> when the message was sent that the process got last from there."""
        self._answers: dict[int, deque[tuple[int, int]]] = {}
        """Envelope of an answer in flight -> (turn, when its question was sent)."""

    def start(self) -> None:
        """What `on_start` did; a run on virtual time begins at 0."""
        steps = self.trace.steps
        time_ms = None if steps and steps[0][0] is None else 0
        sends = iter(self.trace.start.sends)
        for name, outputs in self.trace.start.outputs:
            self._outputs(time_ms, name, outputs, sends)

    def step(self, time_ms: int | None, action: Action) -> None:
        """One step of the run."""
        envelope = action.envelope_id
        if time_ms is not None and envelope >= 0:
            if action.consumed >= 0 or self._stays:
                self._arrive(time_ms, envelope, action)
            if not action.delivered:
                for copy in action.sends:  # a duplicate: as old as it is
                    self._sent.setdefault(copy, deque()).append(time_ms)
                return
        if action.outputs:
            self._outputs(time_ms, action.process, action.outputs, iter(action.sends))

    def _arrive(self, time_ms: int, envelope: int, action: Action) -> None:
        """A message left the network: it was delivered, or it was lost."""
        copies = self._sent[envelope]
        sent_ms = copies[0] if self._stays else copies.popleft()
        answers = self._answers.get(envelope)
        is_taken = action.delivered and action.fault is None
        if is_taken and action.envelope is not None:
            self._asked[action.process, action.envelope.source] = sent_ms
        if answers and (is_taken or len(copies) < len(answers)):
            turn, asked_ms = answers.popleft()
            if is_taken:
                self.latencies[turn] = time_ms - asked_ms

    def _outputs(self, time_ms: int | None, process: str, outputs: Iterable[Output], sends: Iterable[int]) -> None:
        waiting: list[int] = []
        numbers = iter(sends)
        for output in outputs:
            if isinstance(output, Emit):
                emission = output.emission
                if isinstance(emission, Used):
                    waiting.append(len(self.used))
                    self.used.append(emission)
                elif isinstance(emission, Rejected):
                    self.duplicates += emission.reason == "duplicate"
                elif isinstance(emission, Replayed):
                    self.replays += 1
            elif isinstance(output, Send) and time_ms is not None:
                envelope = next(numbers)
                copies = self._sent.setdefault(envelope, deque())
                if not copies or not self._stays:
                    copies.append(time_ms)
                asked_ms = self._asked.get((process, output.target))
                if waiting and asked_ms is not None:
                    self._answers.setdefault(envelope, deque()).append((waiting.pop(0), asked_ms))
