"""Campaigns: many schedules by many workers, kept on disk, resumed by git branch.

What belongs here: the session store, what git says of where we are, chunks and who runs them, the loop that
hands them out and records them, known counterexamples. The only part of roundsim that reads the wall clock.
What does not: how a schedule is run (`explore`), and how results are printed (`report`, `cli`).
"""
