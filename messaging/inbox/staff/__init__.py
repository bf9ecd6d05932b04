"""Who is on duty, away or covering, never so that nobody is left to be reached.

`staffing.invite` and `absences.plan` change it within `coverage_guard.keeping`; `roster` reads it for routing.
"""
