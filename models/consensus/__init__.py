"""A consensus coordinator: asks several agents the same question, decides by their answers, has one
artifact per decision stored, and takes the next decision when the last one is acknowledged."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sim import (
    AgentTimeout,
    ConsensusFailure,
    Cut,
    Disconnect,
    EmptyResponse,
    Process,
    RateLimited,
    System,
    Timing,
    cut,
)
from sim.consensus import Progress, RunPhase

from .consumer import Consumer
from .coordinator import Coordinator
from .countdown import Clock
from .gates import Person
from .guarded import Guardrail
from .journal import Journal, Stage
from .messages import Response, Store
from .options import AROUND, FORMER, LATE, RUN, check_options
from .peers import Agent, ArtifactStore, Conversation, Former, User
from .references import kind_of
from .references.profiles import PROFILES, Profile
from .references.switches import deviations
from .staged import Staged
from .stages import chosen
from .thrift import Thrifty
from .watched import monitors, properties

OURS = PROFILES["sequenced"].quorum
CARRIERS = {
    **dict.fromkeys((AgentTimeout, RateLimited, EmptyResponse, Disconnect), (Response,)),
    ConsensusFailure: (Store,),
}
"""Domain faults by what they strike: an agent's answer, or the message that carries the verdict."""


def system(
    agents: int = 2,
    rounds: int = 1,
    first_round: int = 1,
    stages: tuple[str, ...] = ("validate",),
    retries: int = 1,
    budget_ms: int | None = None,
    resends: int = 1,
    patience_ms: int = 30_000,
    resend_ms: int = 5_000,
    answers: tuple[str, ...] = ("ok",),
    quorum: tuple[int, int] | None = None,
    stop: bool = True,
    cancel: bool = False,
    updates: int = 0,
    queue: int = 24,
    countdown: int = 0,
    former: tuple[str, ...] = (),
    aggregator: bool = False,
    gates: bool = False,
    guardrail: bool = False,
    relaunches: int = 0,
    sequencing: bool = True,
    profile: str = "sequenced",
    switches: tuple[str, ...] = (),
    prompt_tokens: int = 1_000,
    answer_tokens: int = 500,
    budget_usd: str | None = None,
    ask_usd: str = "0.01",
) -> System:
    """A run of rounds `first_round`..`rounds`, each of these stages, each with the first `agents` of its roster.

    - `agents`: 1 to 4; `stages`: names of `models.consensus.stages`, in their order
    - `retries`: further attempts with an agent that does not answer in time
    - `budget_ms`: what all attempts and waits of an agent in a stage may take; none: what the policy says
    - `resends`: how often a store request, a decision or an order for a countdown is sent again, after each start
    - `patience_ms`, `resend_ms`: how long an answer, and a confirmation, is waited for
    - `answers`: what an agent may answer; of ok, conflict, invalid, empty, keyless
    - `quorum`: the share of a roster that has to agree, as two integers; none: what the profile says
    - `stop`, `cancel`: whether the user may; `countdown`: seconds before the consumer takes a decision
    - `updates`, `queue`: how often the conversation goes on meanwhile, and how many snapshots may wait
    - `former`: what a former run may have left in the network; of Response, Stored, AckDecision, Decision, Tick
    - `aggregator`: whether the last of a roster sums up what the others say
    - `gates`: whether a gate is ahead of plan, tasks and implement, and a person settles what its agents do not
    - `guardrail`: whether a stage begins when it is launched; `relaunches`: how often somebody launches the last one again
    - `sequencing`: off, it takes whatever fits somehow
    - `profile`, `switches`: whose behaviour it has, single deviations besides (`models.consensus.references`)
    - `budget_usd`: what the questions of a stage may cost; none: whatever it takes. An agent is asked again only within it
    - `ask_usd`: what a question and its answer are expected to cost
    - `prompt_tokens`, `answer_tokens`: what a question takes, earlier answers aside, and an answer
    """
    given = dict(locals())
    check_options(**given)
    whose = _profile(profile if sequencing else "unsequenced", switches)
    on = deviations(whose.switches)
    used = chosen(stages, agents, gates=gates)
    done = (first_round - 1) * len(used)
    coordinator = _coordinator(whose, used, given)
    names = tuple(dict.fromkeys(agent for stage in used for agent in stage.roster))
    agent = Agent(answers=answers, prompt_tokens=prompt_tokens, answer_tokens=answer_tokens)
    kept = [(FORMER, 1)] * bool(former) + [(RUN, coordinator.number() - n) for n in range(done)]
    processes: dict[str, Process] = {
        "coordinator": coordinator,
        **dict.fromkeys(names, agent),
        "store": _store(frozenset(kept), on),
        "consumer": kind_of(Consumer, on)(
            run=RUN, ticks=countdown, resends=resends, resend_ms=resend_ms, deviations=on, last=done
        ),
        **_around(given),
        **_environment(stop, cancel, updates, countdown, former, on),
    }
    return System(
        processes=processes,
        monitors=monitors(coordinator, done, quorum or OURS, updates=updates > 0, countdown=countdown > 0),
        properties=properties(coordinator, stop=stop or cancel),
        **_world(names),
    )


def _coordinator(whose: Profile, stages: tuple[Stage, ...], given: dict[str, Any]) -> Coordinator:
    """The coordinator of these stages: one with a budget of money, one with something around its stages, or the plain one."""
    on = deviations(whose.switches)
    around = {name: given[name] for name in AROUND}
    kind, more = kind_of(Coordinator, on), {}
    if given["budget_usd"] is not None:
        kind, more = Thrifty, {name: given[name] for name in ("budget_usd", "ask_usd")}
    elif any(around.values()):
        kind, more = kind_of(Staged, on), around
    return kind(
        run=RUN,
        stages=stages,
        **{name: given[name] for name in ("rounds", "retries", "resends", "budget_ms", "patience_ms", "resend_ms")},
        quorum=given["quorum"] or whose.quorum,
        queue_max=given["queue"],
        policy_name=whose.policy,
        **more,
        deviations=on,
        journal=_journal(given["first_round"], len(stages)),
    )


def _world(names: tuple[str, ...]) -> dict[str, Any]:
    """What may strike, and how long things take."""
    return {
        "carriers": CARRIERS,
        "cuts": _cuts(names),
        "faults": "duplicate:1,drop:1,crash:1@coordinator",
        "timing": _timing(names),
    }


def _profile(name: str, switches: tuple[str, ...]) -> Profile:
    """A profile with further switches on."""
    profile = PROFILES[name]
    return replace(profile, switches=replace(profile.switches, **dict.fromkeys(switches, True)))


def _environment(
    stop: bool, cancel: bool, updates: int, countdown: int, former: tuple[str, ...], on: tuple[str, ...]
) -> dict[str, Process]:
    """Those that a run has only if it is configured with them: they cost no state otherwise."""
    found: dict[str, Process] = {}
    if stop or cancel:
        tells_consumer = "discards_when_inactive" in on
        found["user"] = kind_of(User, on)(run=RUN, stops=stop, cancels=cancel, tells_consumer=tells_consumer)
    if updates:
        found["conversation"] = Conversation(run=RUN, updates=updates)
    if countdown:
        found["clock"] = Clock()
    if former:
        found["former"] = Former(late=tuple((name, *LATE[name]) for name in former))
    return found


def _store(kept: frozenset[tuple[str, int]], on: tuple[str, ...]) -> ArtifactStore:
    more: dict[str, Any] = {"keeps_any": True} if "artifacts_kept" in on else {}
    return kind_of(ArtifactStore, on)(applied=kept, unscoped="artifacts_unscoped" in on, **more)


def _around(given: dict[str, Any]) -> dict[str, Process]:
    """Those that the coordinator deals with around its stages."""
    found: dict[str, Process] = {}
    if given["guardrail"]:
        found["guardrail"] = Guardrail(relaunches=given["relaunches"])
    if given["gates"]:
        found["person"] = Person()
    return found


def _journal(first_round: int, stages: int) -> Journal:
    """The journal before round `first_round`, all stages before it being decided and released."""
    if first_round == 1:
        return Journal(sequence=(RUN, 0, (), Progress.NONE.value, RunPhase.OPEN.value))
    done = (first_round - 1) * stages
    return Journal(sequence=(RUN, done, (first_round - 1, stages), Progress.RELEASED.value, RunPhase.OPEN.value))


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
