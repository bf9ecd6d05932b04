"""Pictures and files that came with a text, kept sealed.

`attachments.expect` notes that there are some; `attachments.drain` fetches them from the carrier.
"""
