"""roundsim: deterministic simulation of consensus rounds written as explicit state machines."""
