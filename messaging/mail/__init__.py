"""E-mail to colleagues: who has agreed to it, what waits to be sent, and the way to the clinic's mail server.

`spool.put` queues a mail in the caller's transaction, the lane "mail" works the spool off. A mail names nobody: it
says how much waits and where to sign in.
"""
