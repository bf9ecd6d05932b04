"""Who is getting better, who is not: episodes of care, what was done in them, whom to call today, and what was earned.

`episodes` enrols, changes and ends; `care_log` keeps what was done; `reviews` what the consultant said; `listing` reads
a whole caseload, its totals kept by `kept_scores`; `registry_import` takes one over from a spreadsheet;
`questionnaires` asks people between visits, by their phase. `registry` holds the rules, `codes` those of minutes and
codes, `measures` what is counted (all pure).
"""
