"""What happens when a step is due: everything is read again, then a text is composed or dropped.

`dispatch.send` sends reminders, `followups.follow` reminds of links without an answer.
"""
