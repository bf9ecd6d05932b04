"""The 90-day review: its page, what leaves the clinic of it, and what the clinic changes because of it."""
