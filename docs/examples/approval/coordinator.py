"""A refund desk. A model proposes what a customer gets back, a person says yes or no, and what has a yes is paid."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypedDict

import openai
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, Interrupt, interrupt

PROMPT = "How much do we refund for this complaint? Answer with whole euros, and nothing else."


class Refund(TypedDict, total=False):
    complaint: str
    euros: int
    approved: bool


class Desk:
    """Each customer is a thread of the graph, which waits between `propose` and `pay` until somebody has decided."""

    def __init__(self, model: openai.AsyncOpenAI, pay: Callable[[int], Awaitable[None]]) -> None:
        self.model, self.transfer = model, pay
        graph = StateGraph(Refund)
        graph.add_node("propose", self.propose)
        graph.add_node("approve", self.approve)
        graph.add_node("pay", self.pay)
        graph.add_edge(START, "propose")
        graph.add_edge("propose", "approve")
        graph.add_edge("approve", "pay")
        graph.add_edge("pay", END)
        self.graph: Any = graph.compile(checkpointer=InMemorySaver())

    async def propose(self, refund: Refund) -> Refund:
        answer = await self.model.chat.completions.create(
            model="gpt-4o",
            messages=[{"role": "system", "content": PROMPT}, {"role": "user", "content": refund["complaint"]}],
        )
        return {"euros": int(answer.choices[0].message.content or 0)}

    async def approve(self, refund: Refund) -> Refund:
        return {"approved": interrupt(refund["euros"])}

    async def pay(self, refund: Refund) -> Refund:
        if refund["approved"]:
            await self.transfer(refund["euros"])
        return {}

    async def complain(self, customer: str, complaint: str) -> None:
        """A customer writes. What he has written before, and nobody has decided, is dropped for it."""
        await self.graph.ainvoke({"complaint": complaint}, thread(customer))

    async def pending(self, customer: str) -> Interrupt | None:
        state = await self.graph.aget_state(thread(customer))
        return next(iter(state.interrupts), None)

    async def review(self, customer: str, ask: Callable[[int], Awaitable[bool]]) -> None:
        """Shows somebody what is pending, and does as he says."""
        if shown := await self.pending(customer):
            approved = await ask(shown.value)
            await self.graph.ainvoke(Command(resume=approved), thread(customer))


def thread(customer: str) -> RunnableConfig:
    return {"configurable": {"thread_id": customer}}
