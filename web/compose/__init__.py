"""Writing to a patient: the composer, saved replies, and when a text leaves.

`send_reply` is the way to send for every page.
"""
