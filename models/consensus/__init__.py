"""A consensus coordinator: asks several agents the same question, decides by their answers, has one
artifact per decision stored, and takes the next decision when the last one is acknowledged."""

from __future__ import annotations

from models.consensus.coordinator import Coordinator
from models.consensus.messages import Journal, Response, Store
from models.consensus.monitors import AckGate, LastQuestion, StopOnce, TakenInOrder
from models.consensus.peers import Agent, ArtifactStore, Consumer, User
from sim import (
    AgentTimeout,
    ConfigError,
    ConsensusFailure,
    Cut,
    Disconnect,
    EffectLedger,
    EmptyResponse,
    InputLedger,
    RateLimited,
    System,
    Timing,
    cut,
    sometimes,
)

ROSTER = ("gemini", "claude", "gpt_pro", "gpt_codex", "code")
RUN = "run-1"
CARRIERS = {
    **dict.fromkeys((AgentTimeout, RateLimited, EmptyResponse, Disconnect), (Response,)),
    ConsensusFailure: (Store,),
}
"""Domain faults by what they strike: an agent's answer, or the message that carries the verdict."""


def system(
    agents: int = 2,
    rounds: int = 1,
    first_round: int = 1,
    retries: int = 1,
    resends: int = 1,
    answers: tuple[str, ...] = ("ok",),
    stop: bool = True,
    sequencing: bool = True,
    prompt_tokens: int = 1_000,
    answer_tokens: int = 500,
) -> System:
    """A run of rounds `first_round`..`rounds` with the first `agents` of the roster.

    - `agents`: 1 to 5
    - `retries`: further attempts with an agent that does not answer in time
    - `resends`: how often a store request or a decision is sent again, after each start
    - `answers`: what an agent may answer; of ok, conflict, invalid, empty
    - `stop`: whether the user may stop the run
    - `sequencing`: off, the coordinator does what its predecessors did
    - `prompt_tokens`, `answer_tokens`: what a question and an answer take; all rounds but the first also
      have the earlier answers in their prompt
    """
    mistakes = []
    if not 1 <= agents <= len(ROSTER):
        mistakes.append(f"agents is {agents}; the roster has 1 to {len(ROSTER)}")
    if not 1 <= first_round <= rounds:
        mistakes.append(f"rounds {first_round} to {rounds}: the first is 1 or more, and not behind the last")
    if retries < 0 or resends < 0:
        mistakes.append("retries and resends are 0 or more")
    if prompt_tokens < 0 or answer_tokens < 0:
        mistakes.append("prompt_tokens and answer_tokens are 0 or more")
    unknown = sorted(set(answers) - {"ok", "conflict", "invalid", "empty"})
    if unknown or not answers:
        mistakes.append(f"answers {unknown or 'are none'}: use ok, conflict, invalid, empty")
    if mistakes:
        raise ConfigError(*mistakes)
    names = ROSTER[:agents]
    coordinator = Coordinator(
        run=RUN,
        agents=names,
        rounds=rounds,
        retries=retries,
        resends=resends,
        sequencing=sequencing,
        patience_ms=30_000,
        resend_ms=5_000,
        journal=Journal(round=first_round, minted=first_round - 1),
    )
    return System(
        processes={
            "coordinator": coordinator,
            **dict.fromkeys(names, Agent(answers=answers, prompt_tokens=prompt_tokens, answer_tokens=answer_tokens)),
            "store": ArtifactStore(),
            "consumer": Consumer(last=first_round - 1),
            **({"user": User(run=RUN)} if stop else {}),
        },
        monitors={
            "ack_gate": AckGate(acknowledged=first_round - 1, released=first_round - 1),
            "exactly_once_inputs": InputLedger(
                process="coordinator", types=("Response", "AckDecision"), redelivered=True
            ),
            "exactly_once_effects": EffectLedger(),
            "last_question": LastQuestion(run=RUN, attempts_max=retries + 1, closed=first_round - 1),
            "stop_once": StopOnce(),
            "taken_in_order": TakenInOrder(stored=first_round - 1, taken=first_round - 1),
        },
        properties=(
            sometimes("a run comes to its end", lambda coordinator: coordinator.state == "done"),
            *((sometimes("a run is stopped", lambda coordinator: coordinator.state == "stopped"),) if stop else ()),
        ),
        carriers=CARRIERS,
        cuts=_cuts(names),
        faults="duplicate:1,drop:1,crash:1@coordinator",
        timing=_timing(names),
    )


def _cuts(names: tuple[str, ...]) -> dict[str, Cut]:
    """What may be cut off: the agents, their answers only, the store, the consumer."""
    return {
        "agents": cut(names),
        "answers": cut(names, ["coordinator"], one_way=True),
        "store": cut(["store"]),
        "consumer": cut(["consumer"]),
    }


def _timing(names: tuple[str, ...]) -> Timing:
    """An answer takes seconds, everything else milliseconds."""
    return Timing(
        latency_ms=(2, 10),
        links={f"{name}->coordinator": (400, 9_000) for name in names},
        may_ms=(0, 20_000),
        restart_ms=(200, 2_000),
    )
