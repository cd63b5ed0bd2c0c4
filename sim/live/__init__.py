"""Programs: asyncio code as it stands, run on a simulated operating system, one choice after the other.

What belongs here: the loop, what a program may do, the world that walkers see. What does not: who picks (`sim.strategy`),
the semantics of models (`sim.graph`).
"""
