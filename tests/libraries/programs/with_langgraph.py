"""langgraph: each agent is a thread of one graph, with a checkpoint after each step; a node that is no coroutine runs in a
thread of the executor."""

from __future__ import annotations

import asyncio
from typing import Any, TypedDict

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph

from sim import Program
from tests.libraries.coordinator import coordinate, program


class State(TypedDict, total=False):
    question: int
    number: int
    answer: int


async def read(state: State) -> State:
    await asyncio.sleep(0.1)
    return {"number": state["question"]}


def square(state: State) -> State:
    return {"answer": state["number"] ** 2}


def make_graph() -> Any:
    builder = StateGraph(State)
    builder.add_node("read", read)
    builder.add_node("square", square)
    builder.add_edge(START, "read")
    builder.add_edge("read", "square")
    builder.add_edge("square", END)
    return builder.compile(checkpointer=InMemorySaver())


async def ask(graph: Any, question: int) -> int:
    state = await graph.ainvoke({"question": question}, {"configurable": {"thread_id": str(question)}})
    answer: int = state["answer"]
    return answer


def system(planted: bool = False) -> Program:
    async def main(world: Any) -> None:
        graph = make_graph()
        await coordinate(world, lambda question: ask(graph, question), planted=planted)

    return program(main)
