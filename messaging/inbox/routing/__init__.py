"""Who gets what and who is told when nobody answers, as rules over facts. Pure.

`assign.choose` picks an owner, `escalation_policy.climb` whom to alert next,
`coverage_gaps.every` when nobody is there.
"""
