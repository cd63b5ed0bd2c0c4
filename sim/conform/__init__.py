"""Whether what a program did is a path of its model: a log is held against the graph.

What belongs here: the log, the search for a path that explains it, what is said if there is none, and the recorder that
ordinary code writes logs with. What does not: reading arguments (`sim.cli`).
"""
