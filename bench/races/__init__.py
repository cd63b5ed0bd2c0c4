"""Known shapes of races in asyncio code, each as a small program of its own with its fixed twin.

What belongs here: one module for each shape, ordinary asyncio code written with the public names of `sim` alone. Its
`system()` has the race, `system(fixed=True)` is the same but for one class or function. `table` lists them. Each of
them is a program for the command line too: `sim fuzz bench.races.slot`.
What does not: planted bugs of models (`bench/bugs/`).
"""
