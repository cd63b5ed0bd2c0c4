"""Reads off a trace what its emissions say about tokens, duplicates and replays.

After the run and beside it: the trace is read and never changed, so a measured run and an unmeasured one
have one digest, and measuring a replayed trace gives the same numbers.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import replace

from sim.base.values import Emission
from sim.machine.ledgers import Counted, Rejected
from sim.machine.used import Replayed, Used
from sim.metrics.of_run import RunMetrics
from sim.metrics.prices import PriceTable
from sim.metrics.settings import MetricsSettings
from sim.metrics.turns import Observed, Turn
from sim.run.trace import Trace
from sim.world.choice import MESSAGE, Choice, Sent, Subject


def meter(trace: Trace, settings: MetricsSettings | None = None, prices: PriceTable | None = None) -> RunMetrics:
    """The metrics of a run: `observe`d, then summed as the settings say. The agents of a program have the names of their
    models. `prices`: those of the settings, where they were looked up before."""
    settings, observed = settings or MetricsSettings(), observe(trace)
    if not trace.world.places_are_values:
        asked = {turn.agent: turn.agent for turn in observed.turns if turn.agent}
        settings = replace(settings, models={**asked, **settings.models})
    return RunMetrics(settings, observed, prices)


def observe(trace: Trace) -> Observed:
    """What the emissions of a trace say.

    A turn is a `Used`; a duplicate is an input `Rejected` as `duplicate`; a replay is a `Replayed`. The answer of a turn
    is the message that is sent next after the `Used`, in the same step; the question is the last message that came from
    whom it goes to. On virtual time the latency of a turn is what its client waited: from the moment the question was
    sent to the moment the answer is delivered. An answer that is lost, or still on its way at the end, has no latency,
    and without virtual time nothing has.

    A turn is wasted if its answer did not count: it was `Rejected` when it came, with that reason; a fault took it, by
    its kind (`empty_response`); it was `lost` on its way, or is `undelivered` at the end.
    """
    observer = _Observer(trace)
    with trace.world.walking():
        observer.start()
        for time_ms, choice in trace.steps:
            observer.step(time_ms, choice)
        observer.end()
    latencies, wasted = observer.latencies, observer.wasted
    turns = tuple(
        Turn(used.usage, used.agent, used.stage, used.run, used.attempt, latencies.get(number), wasted.get(number))
        for number, used in enumerate(observer.used)
    )
    return Observed(turns, observer.duplicates, observer.replays)


_WASTED = {"agent_timeout": "late", **{kind: kind for kind in ("empty_response", "malformed", "disconnect")}}
"""By the fault that strikes an answer to a program: why it did not count."""


class _Observer:
    """Walks the steps of one trace. Equal envelopes are one action, so they count as first in, first out."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.used: list[Used] = []
        self.duplicates = 0
        self.replays = 0
        self.latencies: dict[int, int] = {}
        """By the number of a turn, in milliseconds."""
        self.wasted: dict[int, str] = {}
        """By the number of a turn: why its answer did not count."""
        self._stays = trace.world.stays
        self._is_program = not trace.world.places_are_values
        """Then an answer is paid for in the step in which it comes, or in which a fault takes it."""
        self._sent: dict[Subject, deque[int | None]] = {}
        """Message -> when each copy in flight was sent; None without virtual time."""
        self._asked: dict[tuple[str, str], int | None] = {}
        """(process, source) -> when the message was sent that the process got last from there."""
        self._answers: dict[Subject, deque[tuple[int, int | None]]] = {}
        """Answer in flight -> (turn, when its question was sent)."""

    def start(self) -> None:
        """What `on_start` did; a run on virtual time begins at 0. When what was in flight before was sent is not known."""
        steps, start = self.trace.steps, self.trace.start
        sent = Counter(put.subject for _, puts in start.puts for put in puts if isinstance(put, Sent))
        for message in (Counter(start.brings) - sent).elements():
            self._sent.setdefault(message, deque()).append(None)
        time_ms = None if steps and steps[0][0] is None else 0
        for name, puts in start.puts:
            self._puts(time_ms, name, puts)

    def step(self, time_ms: int | None, choice: Choice) -> None:
        """One step of the run."""
        if self._is_program:
            self._puts(
                time_ms, "", choice.puts, next((_WASTED[kind] for kind in choice.strikes if kind in _WASTED), None)
            )
            return
        if choice.takes[0] == MESSAGE:
            if choice.ends or self._stays(choice.takes):
                self._arrive(time_ms, choice)
            if not choice.mover:
                for copy in choice.brings:  # a duplicate: as old as it is
                    self._sent.setdefault(copy, deque()).append(time_ms)
                return
        self._puts(time_ms, choice.mover, choice.puts)

    def _arrive(self, time_ms: int | None, choice: Choice) -> None:
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
            if is_taken and time_ms is not None and asked_ms is not None:
                self.latencies[turn] = time_ms - asked_ms
            why = _rejection(choice) if is_taken else choice.address.under or "lost"
            if why is not None:
                self.wasted[turn] = why

    def end(self) -> None:
        """What is still on its way does not count; of what stays in flight nobody can say what is still to come."""
        for message, answers in self._answers.items():
            if not self._stays(message):
                self.wasted.update((turn, "undelivered") for turn, _ in answers)

    def _puts(
        self, time_ms: int | None, process: str, puts: Iterable[Emission | Sent], wasted: str | None = None
    ) -> None:
        waiting: list[int] = []
        for put in puts:
            if isinstance(put, Used):
                if wasted is not None:
                    self.wasted[len(self.used)] = wasted
                waiting.append(len(self.used))
                self.used.append(put)
            elif isinstance(put, Rejected):
                self.duplicates += put.reason == "duplicate"
            elif isinstance(put, Replayed):
                self.replays += 1
            elif isinstance(put, Sent):
                copies = self._sent.setdefault(put.subject, deque())
                if not copies or not self._stays(put.subject):
                    copies.append(time_ms)
                asker = (process, put.target)
                if waiting and asker in self._asked:
                    self._answers.setdefault(put.subject, deque()).append((waiting.pop(0), self._asked[asker]))


def _rejection(choice: Choice) -> str | None:
    """Why the message that a step took was rejected in it; None if it was counted: then others were rejected with it."""
    if any(isinstance(put, Counted) for put in choice.puts):
        return None
    return next((put.reason for put in choice.puts if isinstance(put, Rejected)), None)
