"""The processes that a program starts: coroutines that stand for them, by command line.

What belongs here: what stands for the processes of a run, and for what asks of them. What does not: the pipes between them,
which are the kernel's (`sim.live.net`).
"""
