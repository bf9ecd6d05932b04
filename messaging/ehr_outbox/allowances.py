"""What an EHR may be told beyond the kinds of which it hears, by the names under which a clinic's choice is kept."""

PART_TWO, AUDIT_C = "part_2", "audit_c"
# That a patient cannot come at the time of a visit: some EHRs give the time to somebody else at once.
CHANGES = "changes"
# Texts that speak of alcohol or drugs.
SUBSTANCES = "substances"
