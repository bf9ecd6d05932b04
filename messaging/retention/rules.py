"""When words have been kept long enough: a cutoff in calendar years, and longer for whoever was a child."""

from datetime import date, datetime, timedelta

# Policy. What HIPAA wants documented is kept for six years (45 CFR 164.316(b)(2)(i)); a state's law on medical records
# is often longer, and the clinic's counsel knows it. No clinic may keep less.
LEAST_YEARS, MOST_YEARS = 6, 50
# Records of minors are kept from the day they came of age: policy, by the custom of most states.
OF_AGE = 18
# How long after publishing nothing is emptied yet, so that a number typed wrongly can be taken back.
REVERSIBLE = timedelta(hours=24)


def may_keep(years: int) -> bool:
    """Whether a clinic may say so: 0 keeps the words for good, else 6 to 50 years."""
    return years == 0 or LEAST_YEARS <= years <= MOST_YEARS


def shortens(was: int, becomes: int) -> bool:
    """Whether words would be emptied that were to stay; 0 years means for good."""
    return becomes != 0 and (was == 0 or becomes < was)


def cutoff(now: datetime, years: int) -> datetime:
    """Return the moment `years` calendar years ago; what is older than it may be emptied. A day that has no such year
    is the day before, which keeps longer."""
    try:
        return now.replace(year=now.year - years)
    except ValueError:  # 29 February
        return now.replace(year=now.year - years, day=28)


def still_a_childs(born: date | None, today: date, years: int) -> bool:
    """Whether a patient's words stay because they came of age less than `years` ago, or have not yet.

    Nobody's birth date counts as an adult's. Born on 29 February: of age on 1 March.
    """
    if born is None:
        return False
    age = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    return age < OF_AGE + years
