"""The loop of a campaign: hands out chunks, records their results, ends when there is an answer."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from pathlib import Path

from sim.base.errors import ConfigError, SimError
from sim.base.overdue import WATCH
from sim.campaign import sessions
from sim.campaign.answer import CampaignAnswer, answer_of, fold, limit_of
from sim.campaign.chunks import Chunk, Chunks
from sim.campaign.code import Code
from sim.campaign.engines import Engine
from sim.campaign.sessions import Part, Session
from sim.campaign.store import CampaignStore
from sim.campaign.worker import ChunkOutcome, ChunkRequest, run_chunk
from sim.fuzzer.coverage import Coverage
from sim.minimiser.counterexample_file import counterexample_text
from sim.run.local import WorkEnded
from sim.scenario import Target
from sim.sessions.git import GitPlace, look

RETRIES_MAX = 5
"""How often a chunk is run again after its worker died."""
TICK_S = 0.2
"""Seconds after which progress is shown even without a result."""
LOOK_S = 1.0
"""Seconds for which an answer of git stays valid."""
GRACE_S = 1.5
"""Seconds after which a chunk under way is abandoned when the time is up; a violation is made less for one of them."""
AHEAD = 2
"""Chunks handed out per worker, so that none waits while we record."""


class Campaign:
    """A session that is running. The fields hold the results since it was started here, for progress; the answer is
    read from the store."""

    def __init__(
        self, store: CampaignStore, session: Session, part: Part, target: Target, code: Code, here: Path
    ) -> None:
        self.store = store
        self.session = session
        self.part = part
        self.target = target
        self.code = code
        self.world = target.system.world()
        self.chunks = Chunks(session.plan.chunk, session.plan.schedules, sessions.done(store, session.id))
        self.limit = limit_of(store, session)
        self.coverage = Coverage(self.world)
        """Kept only if there is a progress display."""
        self.schedules = 0
        self.steps = 0
        self.deaths = 0
        """Workers that died."""
        self.seconds = 0.0
        """Since it was started here."""
        self.interrupted = False
        self.unfinished = False
        """Whether the time was up inside a schedule."""
        self._run = f"{os.getpid()} at {time.time_ns()}"
        """A unique name of this run."""
        self._look = _Looking(here)
        self._tries: dict[int, int] = {}
        self._found: dict[tuple[str, tuple[str, ...]], None] = {}
        self._failures: dict[int, tuple[str, ...] | WorkEnded] = {}
        """What the model did wrong in a chunk, or why a chunk has no answer."""
        self._loose = 0
        self._whole = 0
        self._is_watched = False

    @property
    def findings(self) -> int:
        """How many kinds of violation were found since it was started here."""
        return len(self._found)

    def run(
        self, engine: Engine, seconds: float | None = None, progress: Callable[[Campaign], None] | None = None
    ) -> CampaignAnswer:
        """Run what is open: to the end, to the first violation, or for `seconds`. When they are over, each chunk under way
        ends with the schedules that it has done; one that does not is abandoned.

        A KeyboardInterrupt ends it; everything recorded until then is kept, as it is when the process is
        killed. Raises `SimError` for what the model did wrong, and if the store can no longer be written.
        """
        started = time.perf_counter()
        self._is_watched = progress is not None
        out: dict[Future[ChunkOutcome], Chunk] = {}
        try:
            while True:
                self.seconds = time.perf_counter() - started
                if seconds is None or self.seconds < seconds:
                    self._hand_out(engine, out, None if seconds is None else seconds - self.seconds)
                else:
                    self._take_back(out)
                    if out and self.seconds >= seconds + GRACE_S:
                        self.unfinished = True
                        break
                if not out:
                    break
                ready, _ = wait(out, timeout=TICK_S, return_when=FIRST_COMPLETED)
                for future in sorted(ready, key=lambda done: out[done].first):
                    self._came(future, out.pop(future), engine, started)
                self._forget(out)
                if progress is not None:
                    progress(self)
        except KeyboardInterrupt:
            self.interrupted = True
        finally:
            for future in out:
                future.cancel()
        self.seconds = time.perf_counter() - started
        return self._end()

    # --- handing out and taking in --------------------------------------------------------------

    def _counts(self, chunk: Chunk) -> bool:
        """Whether a chunk can still affect the answer."""
        return self.limit is None or chunk.first < self.limit

    def _hand_out(self, engine: Engine, out: dict[Future[ChunkOutcome], Chunk], left_s: float | None) -> None:
        while len(out) < AHEAD * engine.workers:
            chunk = self.chunks.take()
            if chunk is None:
                return
            if not self._counts(chunk):
                self.chunks.put_back(chunk)
                return
            request = ChunkRequest(
                self.session.plan, self.code, *chunk, self._run, self.chunks.low, WATCH.limit_s, left_s
            )
            out[engine.executor.submit(run_chunk, request)] = chunk

    def _take_back(self, out: dict[Future[ChunkOutcome], Chunk]) -> None:
        """Cancels what has not begun."""
        for future in [future for future in out if future.cancel()]:
            self.chunks.put_back(out.pop(future))

    def _forget(self, out: dict[Future[ChunkOutcome], Chunk]) -> None:
        """Stops waiting for what can no longer affect the answer."""
        for future in [future for future, chunk in out.items() if not self._counts(chunk)]:
            future.cancel()
            self.chunks.put_back(out.pop(future))

    def _came(self, future: Future[ChunkOutcome], chunk: Chunk, engine: Engine, started: float) -> None:
        if not self._counts(chunk):
            self.chunks.put_back(chunk)
            return
        try:
            outcome = future.result()
        except engine.died as death:
            self._died(chunk, death)
            return
        except SimError:
            raise
        except Exception as error:  # the engine's own: `run_chunk` raises nothing
            raise ConfigError(
                f"--engine {engine.name}: {type(error).__name__}: {error}; what was recorded is kept"
            ) from None
        if outcome.failure or outcome.ended is not None:
            self._failed(chunk, outcome.ended or outcome.failure)
            return
        self.unfinished = self.unfinished or outcome.unfinished
        self.chunks.finish(chunk, outcome.size)
        if not outcome.size:
            return
        self._record(outcome, time.perf_counter() - started)
        if outcome.found and not self.session.plan.keep_going:
            self.limit = chunk.first
        elif self.limit is None:
            self._fold(len(outcome.coverage.prints))
        self.schedules += outcome.schedules
        self.steps += outcome.steps
        if self._is_watched:
            self.coverage.merge(outcome.coverage)
        self._found |= dict.fromkeys(found.key for found in outcome.found)

    def _died(self, chunk: Chunk, death: BaseException) -> None:
        self.deaths += 1
        tries = self._tries[chunk.first] = self._tries.get(chunk.first, 0) + 1
        if tries > RETRIES_MAX:
            last = chunk.first + chunk.size - 1
            why = f"schedules {chunk.first} to {last} of seed {self.session.plan.seed} ended their worker {tries} times"
            self._failed(chunk, (f"{why}, the last time: {death}; what was recorded is kept",))
        else:
            self.chunks.put_back(chunk)

    def _failed(self, chunk: Chunk, why: tuple[str, ...] | WorkEnded) -> None:
        """Nothing after this chunk matters; an earlier one may still end in a violation."""
        self._failures[chunk.first] = why
        self.chunks.put_back(chunk)
        self.limit = chunk.first

    def _record(self, outcome: ChunkOutcome, seconds: float) -> None:
        seed = self.session.plan.seed
        texts = [counterexample_text(self.target, one.counterexample, [one.origin(seed)]) for one in outcome.found]
        all_in_all = self.session.seconds + seconds
        sessions.record(self.store, self.session, self.part, outcome, texts, self._look(), all_in_all)

    def _fold(self, size: int) -> None:
        """Once the loose coverages are as large as the whole, they are merged into it: so each state is written a few
        times, not once for every chunk that visited it."""
        self._loose += size
        if self._loose > max(self._whole, FOLD_MIN):
            self._whole = fold(self.store, self.session, self.part, self.chunks.low, self.world)
            self._loose = 0

    def _end(self) -> CampaignAnswer:
        plan, seconds = self.session.plan, self.session.seconds + self.seconds
        lower = self.limit is not None and self.chunks.low >= self.limit
        failure = self._failures.get(self.limit) if lower and self.limit is not None else None
        if lower and failure is None:
            state = "stopped"
        elif self.chunks.is_done or (plan.schedules is None and plan.seconds is not None and seconds >= plan.seconds):
            state = "done"
        else:
            state = "open"
        sessions.end(self.store, self.session.id, state, seconds)
        if isinstance(failure, WorkEnded):
            try:
                failure.tell()
            except KeyboardInterrupt:  # what was covered is told as well
                self.interrupted = True
        elif failure is not None:
            raise SimError(*failure)
        self.session = sessions.session(self.store, self.session.id)
        answer = answer_of(self.store, self.session, self.part, self.world)
        answer.interrupted, answer.unfinished = self.interrupted, self.unfinished
        return answer


FOLD_MIN = 1 << 20
"""Bytes of loose coverage that are not worth merging."""


class _Looking:
    """The answers of git about a folder, asked again when the last one is too old."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._at = 0.0
        self._place: GitPlace | None = None

    def __call__(self) -> GitPlace:
        now = time.perf_counter()
        if self._place is None or now - self._at > LOOK_S:
            self._place, self._at = look(self._folder, brief=True), now
        return self._place
