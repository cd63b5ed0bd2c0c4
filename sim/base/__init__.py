"""What every room builds on: errors, values, the generator of picks, durations, files.

What belongs here: what knows nothing of processes. What does not: anything that the author of a model declares.
"""
