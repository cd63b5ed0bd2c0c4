"""Schedules by seed over a remembered part of the graph: the compiled fuzz.

What belongs here: the strategies of `sim.strategy` once more, over integers, with the very same picks.
What does not: what an action does (the steps that the compiled check takes too), what a finding is (a violation is run again by the
plain engine, which says what is wrong).
"""
