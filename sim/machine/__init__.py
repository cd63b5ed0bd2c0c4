"""One process: its table, its handlers, and what a handler may do.

What belongs here: everything about a single machine, and the machines that ship with the framework (the two ledgers of
exactly-once). What does not: networks, faults, anything about several machines (`sim.system`).
"""
