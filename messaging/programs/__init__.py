"""The clinic's own programs: the keys they come with and what each of them may.

made = keys.make(session, clinic, wanted, actor=actor)   # made.token is shown this once
program = keys.program_of(token)                         # None for whatever opens nothing
"""
