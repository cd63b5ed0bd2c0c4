"""Threads of a run: real ones, of which one runs at a time, and only between two steps of the loop.

A thread gives way where it blocks and where it ends, and at lines of modules that `world.preempt` names. Locks and queues
are the real ones, so those made before the run serve as well: only waiting is replaced. Who waits says when it could go on,
and is chosen then, or not, like anything else that can happen.

What belongs here: what waits in a thread, and for what. What does not: where in a schedule a thread may go on
(`sim.live.possible`), and what is wrong with how one ends (`sim.live.endings`).
"""
