"""The items that wait for a human, and what colleagues do with them.

`items.open_item` opens one for each reason; `escalation.fire` gives it to somebody, and to others if nobody answers.
"""
