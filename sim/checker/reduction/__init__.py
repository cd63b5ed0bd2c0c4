"""Fewer states for the same verdict: what `sim check --reduce` leaves out, and why nothing is lost by it.

What belongs here: which processes are alike, what swapping them does to a state, the canonical form; which
deliveries may be taken at once; how a real schedule is found again. What does not: walking, and any rule of
what is enabled or what an action does.
"""
