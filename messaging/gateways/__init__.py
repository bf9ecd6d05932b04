"""The carriers, each behind `base.Gateway`.

Only `twilio` knows Twilio; delivery alone calls it.
"""
