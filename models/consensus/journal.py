"""What the coordinator has on disk, and the stages it goes through."""

from __future__ import annotations

from dataclasses import replace

from sim import Record
from sim.consensus import (
    AckDecision,
    Answer,
    ConsensusSequence,
    Decision,
    Progress,
    Round,
    RunPhase,
    SequenceValue,
)

Step = tuple[int, int]
"""A place in a run: (round, number of the stage), both from 1. It is a decision's key in its sequence."""

TERMINAL = ("conflict", "no_consensus")
"""Verdicts after which a run does not go on."""


class Stage(Record):
    """Who is asked in a stage, and how: `parallel`, all at once; `sequential`, one after the other; `gate`, all at once,
    about what another stage starts from."""

    name: str
    roster: tuple[str, ...]
    mode: str = "parallel"

    @property
    def sequential(self) -> bool:
        return self.mode == "sequential"


class Journal(Record):
    """What the coordinator has on disk: one record, replaced as a whole.

    It is canonical: what is no longer needed to go on is forgotten, as it would only tell equal states
    apart. Where the run stands follows from it (`phase`), and is written nowhere twice.
    """

    sequence: SequenceValue
    """`ConsensusSequence.as_value()`: the run, its last number and step, how far that is, whether it stops."""
    attempts: tuple[int, ...] = ()
    """While asking, by place in the roster: how often each agent was asked; empty before the first."""
    over: tuple[tuple[str, int], ...] = ()
    """While asking: (agent, attempt) for each that has ended without a usable answer."""
    answers: tuple[tuple[str, str], ...] = ()
    """While asking: (agent, answer); an agent stands here twice only without sequencing."""
    given_up: tuple[str, ...] = ()
    """While asking: those who are no longer waited for."""
    spent: tuple[tuple[str, int], ...] = ()
    """While asking: (agent, milliseconds of its retry budget), as far as any are spent."""
    verdict: str = ""
    """The verdict of the decision in hand; one that ends the run stays."""
    stored: bool = False
    """The store has confirmed the decision in hand."""
    withdrawn: bool = False
    """The decision in hand is given up as soon as it is stored."""
    queue: tuple[int, ...] = ()
    """Snapshots of the conversation that wait for the next question, oldest first."""
    newest: int = 0
    """The newest snapshot that ever came."""

    @property
    def seq(self) -> int:
        """The last number given."""
        return self.sequence[1]

    @property
    def begun(self) -> bool:
        """A decision is on its way."""
        return self.sequence[3] == Progress.BEGUN.value

    @property
    def stopping(self) -> bool:
        return self.sequence[4] == RunPhase.DRAINING.value

    @property
    def stopped(self) -> bool:
        return self.sequence[4] == RunPhase.STOPPED.value

    def round(self, step: Step, roster: tuple[str, ...], quorum: tuple[int, int]) -> Round:
        """The round of answers in hand, at this step."""
        answers = dict(self.answers)
        places = tuple(
            (
                asked,
                tuple(attempt for name, attempt in self.over if name == agent),
                answers.get(agent),
                agent in answers,
                agent in self.given_up,
            )
            for agent, asked in zip(roster, self.attempts or (0,) * len(roster), strict=True)
        )
        return Round.from_value((self.sequence[0], step, roster, quorum, places, False))

    def with_round(self, round_: Round) -> Journal:
        """The journal after what has come to this round."""
        *_, places, _ = round_.as_value()
        named = tuple(zip(round_.roster, places, strict=True))
        return replace(
            self,
            attempts=tuple(asked for _, (asked, *_) in named),
            over=tuple((agent, attempt) for agent, (_, over, *_) in named for attempt in over),
            answers=round_.answers,
            given_up=tuple(agent for agent, (*_, given_up) in named if given_up),
        )

    def decided(self, step: Step, verdict: str) -> Journal:
        """The intent: this step has a verdict and a number, and is to be stored. What was asked and answered
        is forgotten."""
        sequence = ConsensusSequence.from_value(self.sequence)
        _accepted(sequence.issue(sequence.run_id, step))
        _accepted(sequence.begin(Decision(sequence.run_id, sequence.decision_seq)))
        return replace(self.forgotten(), sequence=sequence.as_value(), verdict=verdict)

    def released(self, was_last: bool) -> Journal:
        """The acknowledgement: the decision in hand is done with; a run that was to stop has stopped. The
        verdict is kept where it is the reason that the run does not go on."""
        run, seq, *_ = self.sequence
        sequence = ConsensusSequence.from_value(self.sequence)
        _accepted(sequence.acknowledge(AckDecision(run, seq)))
        verdict = "" if was_last or self.stopping or self.verdict not in TERMINAL else self.verdict
        return replace(self.forgotten(), sequence=sequence.as_value(), verdict=verdict)

    def withdrawing(self) -> Journal:
        """The decision in hand is given up; the run has stopped."""
        run, seq, *_ = self.sequence
        sequence = ConsensusSequence.from_value(self.sequence)
        _accepted(sequence.cancel(Decision(run, seq), CANCELLED))
        sequence.stop(run)
        return replace(self.forgotten(), sequence=sequence.as_value())

    def stop(self) -> Journal:
        """The run has stopped, or stops as soon as the decision in hand is done with."""
        sequence = ConsensusSequence.from_value(self.sequence)
        _accepted(sequence.stop(sequence.run_id))
        kept = self if sequence.phase is RunPhase.DRAINING else self.forgotten()
        return replace(kept, sequence=sequence.as_value())

    def forgotten(self) -> Journal:
        """Without what belongs to one step."""
        return Journal(sequence=self.sequence, queue=self.queue, newest=self.newest)


CANCELLED = "the user cancelled the run"


def _accepted(answer: Answer) -> None:
    """Raises ValueError for a refusal: a coordinator that asks for what its journal does not allow is at fault."""
    if not answer.accepted:
        raise ValueError(f"the journal does not allow it: {answer}")
