"""From a failing run to a short schedule that reads well.

What belongs here: fewest deviations from the usual schedule, then fewest steps, and the words for what is left. What
does not: finding a failing run (`sim.fuzz`, `sim.check`).
"""
