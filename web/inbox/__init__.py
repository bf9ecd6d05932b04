"""The list of what waits, a case, and what is done with it."""
