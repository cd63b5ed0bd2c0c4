"""Campaigns: many schedules run by many workers, kept on disk, resumed by git branch.

What belongs here: the session store, the state of the git work tree, chunks and who runs them, the loop that hands them
out and records them, known counterexamples. The only part of roundsim that reads the wall clock. What does not: how a
schedule is run (`sim.run`, `sim.fuzzer`), and how results are printed (`sim.report`, `sim.cli`).
"""
