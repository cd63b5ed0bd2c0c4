"""What a coordinator of several agents needs, for an ordinary program as for a model: what failed, and when to try again.

What belongs here: values and pure functions of the standard library, which know neither clocks nor networks nor the
simulation. What does not: machines, which are made of them.
"""
