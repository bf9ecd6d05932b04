"""Who is getting better, who is not: episodes of care, what was done in them, and whom to call today.

`episodes` enrols, changes and ends; `care_log` keeps what was done; `reviews` what the consultant said; `listing` reads
a whole caseload. `registry` holds the rules (pure).
"""
