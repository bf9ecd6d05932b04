"""Signed webhooks to the clinic's own programs: what happened, by ids and types, brought to their addresses.

`endpoints` are the addresses, `fanning_out` makes a delivery of each event for each of them, `delivering` is the lane
that posts them, `guard` says where to it may, `schedule` how often and for how long. Nothing about a patient leaves by
this way but ids (Standard Webhooks 1.0.0, "thin" payloads).
"""
