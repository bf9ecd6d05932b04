"""The arithmetic of reminders: zones, quiet hours and the plan around a visit, pure and without a clock."""
