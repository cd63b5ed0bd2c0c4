"""Tells whether a run has come round: it is back in a state, and could go round for ever.

A round counts if it is made of progress alone, and is fair: an action that is enabled all the way round
is taken on it (weak fairness on progress actions). Which outcomes it chooses is nobody's debt: an agent
may answer with a conflict for ever.
"""

from __future__ import annotations

from sim.graph.action import Action
from sim.graph.graph import Graph, State


def came_round(graph: Graph, states: list[State], actions: list[Action]) -> int | None:
    """The length of the fair round at the end of a run, or None if there is none. `states` are the one
    before the first of `actions` and those after each."""
    last = states[-1]
    for begin in range(len(actions) - 1, -1, -1):
        if not actions[begin].progress:
            return None
        if states[begin] == last and is_fair(graph, states[begin:-1], actions[begin:]):
            return len(actions) - begin
    return None


def is_fair(graph: Graph, states: list[State], actions: list[Action]) -> bool:
    """Whether every progress action that is enabled in all of these states is among the actions taken."""
    waiting = moving(graph, states[0])
    for state in states[1:]:
        waiting &= moving(graph, state)
    return not waiting - {action.deed for action in actions}


def moving(graph: Graph, state: State) -> set[bytes]:
    """The progress actions that change this state, whatever they choose."""
    return {a.deed for a in graph.enabled(state) if a.progress and graph.changes(state, a)}
