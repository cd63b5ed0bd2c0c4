"""Schedules by seed over a remembered part of the graph: the compiled fuzz.

What belongs here: what the strategies of `sim.strategy` know, as arrays; they pick in the native extension, the very same.
What does not: what an action does (the steps that the compiled check takes too), what a finding is (a violation is run again by the
plain engine, which says what is wrong).
"""
