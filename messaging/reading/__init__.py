"""What a reply means: a crisis first, then consent, then an answer. Pure.

`authorship.read` leaves only what the sender wrote; `read_reply.read` says what it means.
"""
