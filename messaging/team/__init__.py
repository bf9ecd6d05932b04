"""What colleagues say to each other and ask of each other: a thread for each patient, tasks, notes and a board.

Nothing here can be sent to a patient: no file of this room reaches the outbox or a carrier, and a contract says so.
"""
