"""Simulated endpoints of language models: they speak what the providers' own clients expect, and misbehave on demand.

What belongs here: the words of providers, and what answers in them. What does not: what happens to bytes on their way
(`sim.live.net`). A program asks `world.serve_openai` or `world.serve_anthropic` for one. What it answers is said with the names of this
package; what becomes of an answer on its way is a choice of the schedule, as of everything that arrives.
"""

from sim.live.agents.asked import Asked
from sim.live.agents.completion import Completion, OneOf, ToolCall, one_of

__all__ = ["Asked", "Completion", "OneOf", "ToolCall", "one_of"]
