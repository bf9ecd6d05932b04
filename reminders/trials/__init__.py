"""What a cadence would do, without doing it.

`made_up_visit.show` plans a visit that does not exist, `coming_week.of_week` the real ones of the coming week.
"""
