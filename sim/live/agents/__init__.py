"""Simulated endpoints of language models: they speak what the providers' own clients expect, and misbehave on demand.

A program asks `world.serve_openai` or `world.serve_anthropic` for one. What it answers is said with the names of this
package; what becomes of an answer on its way is a choice of the schedule, as of everything that arrives.
"""

from sim.live.agents.asked import Asked
from sim.live.agents.reply import Call, OneOf, Reply, one_of

__all__ = ["Asked", "Call", "OneOf", "Reply", "one_of"]
