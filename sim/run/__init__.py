"""One schedule: a strategy picks, the world applies, and every state is judged.

What belongs here: a single run, its record and what is read off it. What does not: many runs (`sim.fuzzer`), all of them
(`sim.checker`).
"""
