"""Which questionnaires are due: each reason by hand, and for any schedule and history never twice within its time."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from intake_links import scoring
from reminders import schedules
from reminders.schedules import Ask, Facts, Schedule, Taken, Verdict

DAY = date(2027, 3, 10)
ANNUAL = Ask(name="annual", instruments=("phq2", "gad2"), who="not_in_treatment", every="1 year")
TREATED = Ask(name="treated", instruments=("phq9",), who="in_treatment", every="2 weeks")
BOTH = Schedule(asks=(TREATED, ANNUAL))


def ago(days: int, instrument: str = "phq9") -> Taken:
    return Taken(instrument, DAY - timedelta(days=days))


def asked(facts: Facts, schedule: Schedule = BOTH) -> list[str]:
    return [verdict.instrument for verdict in schedules.due(schedule, facts) if verdict.due]


def test_who_was_never_asked_is_asked_what_their_entry_names():
    assert asked(Facts(DAY)) == ["phq2", "gad2"]
    assert asked(Facts(DAY, in_treatment=True)) == ["phq9"]


def test_what_was_answered_within_the_time_is_not_asked_again_and_on_its_last_day_it_is():
    recent = schedules.due(BOTH, Facts(DAY, taken=(ago(364, "phq2"),)))
    assert recent[0] == Verdict("phq2", "recent", "annual", DAY + timedelta(days=1))
    assert asked(Facts(DAY, taken=(ago(365, "phq2"), ago(300, "gad7")))) == ["phq2"]


def test_a_long_form_answers_the_short_one_and_not_the_other_way_round():
    assert asked(Facts(DAY, taken=(ago(30), ago(30, "gad7")))) == []
    assert asked(Facts(DAY, in_treatment=True, taken=(ago(1, "phq2"),))) == ["phq9"]


def test_with_a_link_open_nothing_is_asked():
    assert {verdict.why for verdict in schedules.due(BOTH, Facts(DAY, open_link=True))} == {"open_link"}


def test_a_form_that_is_not_there_in_the_patients_language_is_not_asked():
    assert schedules.due(BOTH, Facts(DAY, language="vi"))[0].why == "language"
    assert asked(Facts(DAY, language="es-MX")) == ["phq2", "gad2"]


def test_the_first_entry_that_fits_decides_about_a_family():
    first = Ask(name="first", instruments=("phq9",), every="4 weeks")
    assert asked(Facts(DAY), Schedule(asks=(first, ANNUAL))) == ["phq9", "gad2"]


def test_what_a_step_names_is_held_to_the_schedule_where_it_governs_it():
    facts = Facts(DAY, taken=(ago(30, "phq2"),))
    verdicts = schedules.filtered(BOTH, ["phq9", "audit_c"], facts)
    assert [(verdict.instrument, verdict.why) for verdict in verdicts] == [("phq9", "recent"), ("audit_c", "due")]


def test_how_often_changes_within_a_phase_and_with_it():
    acute = Ask(
        name="acute", instruments=("phq9",), who="active_phase", every="2 weeks", first="8 weeks", then="4 weeks"
    )
    well = Ask(
        name="well", instruments=("phq9",), who="relapse_prevention", every="1 month", first="6 months", then="3 months"
    )
    schedule = Schedule(asks=(acute, well, ANNUAL))

    def is_asked(phase, since, last):
        facts = Facts(DAY, taken=(ago(last),), phase=phase, phase_on=DAY - timedelta(days=since))
        return "phq9" in asked(facts, schedule)

    assert is_asked("active_phase", 55, 14)
    assert not is_asked("active_phase", 55, 13)
    assert not is_asked("active_phase", 56, 27)
    assert is_asked("active_phase", 56, 28)
    assert is_asked("relapse_prevention", 10, 30)
    assert not is_asked("relapse_prevention", 180, 89)
    assert is_asked("relapse_prevention", 180, 90)
    # Who has no episode is asked by the other entries.
    assert asked(Facts(DAY), schedule) == ["phq2", "gad2"]


@pytest.mark.parametrize(
    ("entry", "field", "said"),
    [
        ({"every": "soon"}, "asks[0].every", "4 weeks"),
        ({"every": "3 days"}, "asks[0].every", "from a week"),
        ({"every": "9 years"}, "asks[0].every", "five years"),
        ({"instruments": []}, "asks[0].instruments", "at least one"),
        ({"instruments": ["phq8"]}, "asks[0].instruments[0]", "there is no instrument phq8"),
        ({"instruments": ["phq2", "phq9"]}, "asks[0].instruments", "beginning of phq9"),
        ({"instruments": ["phq2", "phq2"]}, "asks[0].instruments", "twice"),
        ({"who": "adults"}, "asks[0].who", "in_treatment"),
        ({"colour": "red"}, "asks[0].colour", "unknown"),
        ({"name": "a b"}, "asks[0].name", "32 letters"),
        ({"who": "active_phase", "first": "8 weeks"}, "asks[0].then", "given together"),
        ({"who": "active_phase", "then": "4 weeks"}, "asks[0].first", "given together"),
        ({"first": "8 weeks", "then": "4 weeks"}, "asks[0].first", "only where who is"),
        ({"who": "active_phase", "first": "soon", "then": "4 weeks"}, "asks[0].first", "4 weeks"),
    ],
)
def test_each_mistake_is_named_at_its_field(entry, field, said):
    whole = {"name": "annual", "instruments": ["phq2"], "every": "1 year"} | entry
    with pytest.raises(schedules.BadSchedule) as bad:
        schedules.from_mapping({"asks": [whole]})
    assert [problem.field for problem in bad.value.problems] == [field]
    assert said in bad.value.problems[0].message


def test_two_entries_of_one_name_are_refused():
    entry = {"name": "annual", "instruments": ["phq2"], "every": "1 year"}
    with pytest.raises(schedules.BadSchedule, match="two entries have this name"):
        schedules.from_mapping({"asks": [entry, entry]})


NAMES = sorted(name for name, instrument in scoring.instruments().items() if not instrument.ages)
ENTRIES = some.builds(
    Ask,
    name=some.sampled_from(["one", "two", "three"]),
    instruments=some.sampled_from([(name,) for name in NAMES] + [("phq2", "gad2"), ("phq9", "gad7", "audit_c")]),
    who=some.sampled_from(["everyone", "in_treatment", "not_in_treatment", "active_phase", "relapse_prevention"]),
    every=some.sampled_from(["1 week", "2 weeks", "4 weeks", "3 months", "1 year"]),
)
SCHEDULES = some.builds(Schedule, asks=some.lists(ENTRIES, max_size=4).map(tuple))
# Each visit: so many days after the last one, whether the link is answered, whether in treatment, whether a form grows.
VISITS = some.lists(some.tuples(some.integers(0, 60), some.booleans(), some.booleans(), some.booleans()), max_size=40)
PHASES = some.sampled_from([None, "active_phase", "relapse_prevention"])
LINK_DAYS = 3


@given(SCHEDULES, VISITS, PHASES)
def test_never_two_open_links_and_never_twice_within_the_time(schedule, visits, phase):
    day, taken, links = DAY, [], []
    for after, answered, in_treatment, grows in visits:
        day += timedelta(days=after)
        is_open = any(begun <= day < begun + timedelta(days=LINK_DAYS) for begun in links)
        facts = Facts(day, "en", in_treatment, is_open, tuple(taken), phase, DAY if phase else None)
        due = [verdict for verdict in schedules.due(schedule, facts) if verdict.due]
        assert not (is_open and due)
        entries = {ask.name + str(place): ask for place, ask in enumerate(schedule.asks)}
        for verdict in due:
            longer = scoring.instrument(verdict.instrument).grows_into
            fitting = [
                ask.days(facts.in_phase)
                for ask in entries.values()
                if ask.fits(facts) and verdict.instrument in ask.instruments
            ]
            for past in taken:
                if past.instrument in (verdict.instrument, longer):
                    assert (day - past.day).days >= min(fitting)
        if due and answered:
            forms = [scoring.instrument(verdict.instrument) for verdict in due]
            taken += [Taken(form.grows_into if grows and form.grows_into else form.id, day) for form in forms]
        elif due:
            links.append(day)
        families = [scoring.instrument(verdict.instrument).grows_into or verdict.instrument for verdict in due]
        assert len(set(families)) == len(families)
