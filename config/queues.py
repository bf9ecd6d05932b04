"""The names of the queues, the most urgent first: who starts the workers knows them, and needs no database for it."""

NAMES = ("urgent", "default", "bulk")
