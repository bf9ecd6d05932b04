"""A circuit for each sender: while the carrier says "not now", its texts wait and one at a time probes.

`circuits.learn` takes in how a sending went; `circuits.flowing` is the condition for texts that may leave.
"""
