"""Models that ship with roundsim; they stand on the public names of `sim` only.

What belongs here: processes, monitors and systems. What does not: anything an engine needs.
"""
