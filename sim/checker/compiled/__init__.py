"""The exhaustive walk again, over integer arrays, by the native extension.

What belongs here: the arrays that mirror the rows of a graph, what the numbers in them mean, and
the driver that resolves what they do not know yet in the plain engine. What does not: any rule of what is
enabled or what an action does; those are rows, made by `sim.graph.tabulation` and `sim.graph.enabled`.

The compiled walk is the plain one at another speed: same order of states and actions, same integers, so
that it can take over from the plain walk between any two levels.
"""
