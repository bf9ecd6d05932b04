"""The door for machines: what the world said is kept once, then worked on.

`receipts.receive` keeps it, `jobs.drain` works on it: `handle_text.answer` for texts,
`missed_texts.look` for lost ones.
"""
