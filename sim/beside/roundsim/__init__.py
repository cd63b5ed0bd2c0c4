"""What an installation has beside `sim`: the command, the pytest plugin, and the models that ship with roundsim, as `roundsim.models`.

What belongs here: names that `sim` must not claim, for a project may have a package `sim`, or `models`, of its own.
What does not: anything that `sim` imports; and nothing here imports `sim` before it is used.

The wheel maps this folder to `roundsim/` and the tree's `models/` to `roundsim/models/`. In a checkout `models.py`
stands for the latter.
"""
