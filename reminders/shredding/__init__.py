"""A record destroyed for good: its key thrown away and every word under it overwritten, and a list of which it were.

`deciding` is who asks and who agrees, `carrying_out` the act, `belonging` finds what belongs to a patient, `emptying`
overwrites it, `copies` finds the same words where whole messages and files are kept; `shred_list` is what a restored
database is told again.
"""
