"""Engines that look at many schedules: the exhaustive check (later the fuzz, and the minimiser).

What belongs here: walks over the graph. What does not: what an action is or does.
"""
