"""From a failing run to a short schedule that reads well.

What belongs here: fewest deviations from the usual schedule, then fewest steps, the words for what is left, and the
counterexample that comes of it, as data and as a file. What does not: finding a failing run (`sim.fuzzer`, `sim.checker`).
"""
