"""Planted bugs, each a small model of its own with its sound twin, and what it takes to find them.

What belongs here: one module for each bug outside of the consensus model, written with the public names of
`sim` alone. Its `system()` has the bug, `system(planted=False)` is the same but for one class, row or field.
`table` lists them and those of the consensus model, `cells` measures, `python -m bench.bugs` writes
`docs/bugs.md`. Each of them is a model for the command line too: `sim fuzz bench.bugs.deadlock`.
What does not: bugs of the consensus model (`tests/saboteurs/`).
"""
