"""What a model declares: processes and monitors, a network, properties, timing.

What belongs here: declarations, and the checks made when they are created. What does not: what happens in them
(`sim.graph`).
"""
