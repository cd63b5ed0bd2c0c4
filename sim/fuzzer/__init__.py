"""Many schedules by seed.

What belongs here: the fuzz, what it covered, what it found. What does not: sharing the schedules out to workers, and
keeping them (`sim.campaign`).
"""
