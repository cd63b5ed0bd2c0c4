"""The consensus coordinator: how a decision gets its number, is processed once and is acknowledged.

What belongs here: the coordinator's machines and the plain values they decide with. `sequence` and
`retry` import nothing of the framework, so that the class that was checked is the class that runs in
production. What does not: anything an engine needs, and models of other systems.
"""
