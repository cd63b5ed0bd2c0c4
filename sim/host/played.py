"""What a played process does: the model's own handler, with the answer of an adapter for what it chooses, or a fault for an
attempt that has failed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sim.base.errors import ModelError, SimError, listing
from sim.base.values import Fault, Value, show
from sim.consensus import ErrorKind, Failure
from sim.faults import RateLimited
from sim.host.adapter import Reply
from sim.host.cast import Cast
from sim.machine.handler import Decide, Local, Outcome, is_unhandled
from sim.machine.outputs import Emit, Send, puts_in
from sim.machine.used import Used

FAULT_KINDS: dict[ErrorKind, str] = {
    ErrorKind.TIMEOUT: "agent_timeout",
    ErrorKind.REQUEST_TIMEOUT: "agent_timeout",
    ErrorKind.RATE_LIMITED: "rate_limited",
    ErrorKind.USAGE_LIMIT: "rate_limited",
    ErrorKind.EMPTY: "empty_response",
    ErrorKind.STREAM: "disconnect",
    ErrorKind.CONNECT: "disconnect",
    ErrorKind.CLIENT_CLOSED: "disconnect",
    ErrorKind.SERVER: "disconnect",
    ErrorKind.INVALID: "disconnect",
    ErrorKind.UNKNOWN: "disconnect",
}
"""What a failed attempt is in a model. Other kinds are permanent."""


class Cannot(SimError):
    """What an attempt came to is nothing that the model knows: it is to be asked again."""


class NotAllowed(ModelError):
    """An answer that the model does not have, in the middle of its handler."""


def chooser(process: str, reply: Reply) -> Decide:
    """Gives a handler the answer of an adapter; where the attempt has failed, any: nobody will see it."""

    def choose(outcomes: tuple[Value, ...]) -> Value:
        if reply.failure is not None:
            return outcomes[0]
        if reply.answer not in outcomes:
            raise NotAllowed(
                f"{process} answered {show(reply.answer)}, which its model does not allow: it answers {in_words(outcomes)}"
            )
        return reply.answer

    return choose


def in_words(outcomes: Sequence[Value]) -> str:
    """What may be chosen, in words."""
    return listing([*map(show, outcomes)])


def really_used(output: Any, reply: Reply) -> Any:
    """What was really used, in place of what the model supposes."""
    if not isinstance(output, Emit) or not isinstance(output.emission, Used):
        return output
    if reply.usage is not None:
        counts: dict[str, Any] = {k: v for k, v in reply.usage.as_dict().items() if k != "total_tokens"}
    elif reply.failure is not None:
        counts = dict.fromkeys(("input_tokens", "output_tokens"), 0)
    else:
        counts = dict.fromkeys(("input_tokens", "output_tokens"))
    rest = ("cached_input_tokens", "cache_write_input_tokens", "reasoning_output_tokens")
    return replace(output, emission=replace(output.emission, **{**dict.fromkeys(rest, 0), **counts}))


def struck_by(cast: Cast, outcome: Outcome, failure: Failure | None) -> Fault | None:
    """The domain fault that comes of a failed attempt, on what the process would have sent. Raises `Cannot` if the model has
    none."""
    if failure is None:
        return None
    kind = FAULT_KINDS.get(failure.kind, "")
    for put in puts_in(outcome.outputs):
        if isinstance(put, Send) and (fault := cast.fault_of(kind, put.message)) is not None:
            hint = {}
            if issubclass(fault, RateLimited) and failure.reset_in_ms is not None:
                hint["reset_ms"] = max(0, failure.reset_in_ms)
            return fault(message=put.message, **hint)
    raise Cannot(f"{failure.kind.value}: the model has no fault that says so")


def check_heeded(cast: Cast, locals_: Mapping[str, Local], process: str, outcome: Outcome, fault: Fault) -> None:
    """A fault that nobody heeds strikes nothing. Where a link keeps the order it would hold up all that follows. Raises
    `Cannot` for such a one."""
    for put in puts_in(outcome.outputs):
        if isinstance(put, Send) and put.message is fault.message and put.target in cast.machines:
            if cast.network(process, put.target) != "fifo":
                continue
            local = locals_[put.target]
            found = cast.handlers[put.target].react(local, type(fault), fault, process, lambda outcomes: outcomes[0])
            if found is not None and is_unhandled(found[0].local):
                raise Cannot(f"{fault.kind}: {put.target} is {local.state}, and its model has no row for it there")


def paid_for(reply: Reply, at_ms: int) -> dict[str, Any]:
    """What came of a call, as the journal keeps it."""
    found: dict[str, Any] = {"at_ms": at_ms, "model": reply.model}
    if reply.failure is not None:
        found["failure"] = reply.failure.kind.name.lower()
    else:
        found["answer"] = show(reply.answer)
    if reply.usage is not None:
        found["usage"] = {key: value for key, value in reply.usage.as_dict().items() if key != "total_tokens"}
    return {**found, **({"facts": dict(reply.facts)} if reply.facts else {})}
