"""The door for the clinic's own programs, /api/v1: keys with scopes, JSON in and out, the verbs of the house behind.

`operations.ALL` lists what can be asked; `door` guards it, `once` answers a POST once, `openapi` describes it.
"""
