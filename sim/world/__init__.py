"""The narrow door between what is walked and whoever walks it.

What belongs here: what a strategy, a run, a fuzz, the minimiser, a campaign and the reports may know of a world, and
the addresses in which all of them speak of it. What does not: any one kind of world.
"""
