"""The registry: the whole caseload as a table, one patient's episode, and the consultant's list."""
