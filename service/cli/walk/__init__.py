"""The demo: one clinic's day, walked through the doors."""
