"""Every schedule within bounds: the exhaustive check.

What belongs here: walks over all states, plain and compiled, with and without reduction. What does not: single
schedules (`sim.run`).
"""
