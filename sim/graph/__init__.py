"""The one graph of a system: which actions are enabled in a state, what each does, what is wrong there.

What belongs here: the definition that every engine agrees on, as a table of small integers. What does not: who picks
(`sim.strategy`), and any walk over more than one step (`sim.run`, `sim.checker`).
"""
