"""A clinic's ladder as a file: read, checked, published and written out again without losing anything."""

from uuid import UUID

import pytest

from messaging.inbox import hours, ladderfiles, publishing
from messaging.inbox.ladder import Person
from messaging.inbox.routing import Hours, Rules


def person(name: str, **facts) -> Person:
    return Person(UUID(bytes=name.encode().ljust(16)[:16]), f"{name.lower()}@clinic.example", name, **facts)


OFFICE = hours.read("Mon-Fri 8:00-17:00")
TEAM = [
    person("Rosa", role="care_manager", hours=OFFICE),
    person("Ines", role="clinician", hours=OFFICE),
    person("Dana", role="clinic_admin", hours=OFFICE),
]
FILE = """hours = "Mon-Fri 8:00-17:00"
fallback = ["Dana@clinic.example"]
[on_call]
"ines@clinic.example" = "Mon-Fri 17:00-8:00, Sat-Sun all day"
[[call]]
name = "Dr Wu"
phone = "(303) 555-0177"
[safety]
answer = 10
closed = [{ ask = "on_call", wait = 5 }]
[screen]
answer = 60
clock = "business"
"""


def test_a_file_is_read_checked_and_written_out_again():
    written = ladderfiles.parse(FILE)
    assert publishing.check(written, TEAM, "America/Denver") == []
    assert ladderfiles.parse(ladderfiles.write(written)) == written
    rules = publishing.rules_of(written, {"handoff_minutes": 3}, "America/Denver")
    assert rules["handoff_minutes"] == 3
    again = publishing.present(rules, publishing.with_on_call(written, TEAM))
    assert again == written


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("answer = 10", "answer = 0", "line 9: safety.answer"),
        ('ask = "on_call"', 'ask = "whoever"', "line 10: safety.closed[0].ask"),
        ("[screen]", "[scream]", "scream"),
        ('clock = "business"', 'clock = "lunar"', "line 13: screen.clock"),
        ("(303) 555-0177", "12", "line 7: call[0].phone"),
        ("Mon-Fri 8:00-17:00", "Mon-Fri 8-17", "line 1: hours"),
        ("[safety]", '[safety]\nclock = "business"', "line 9: safety.clock"),
        ("[safety]", "[safety", "this is not TOML"),
    ],
)
def test_each_mistake_in_a_file_is_named_with_its_field_and_line(old, new, said):
    with pytest.raises(publishing.BadLadder) as wrong:
        ladderfiles.parse(FILE.replace(old, new))
    assert any(said in str(one) for one in wrong.value.problems), wrong.value


def test_a_stranger_cannot_be_on_call():
    written = ladderfiles.parse(FILE.replace('"ines@', '"nobody@'))
    assert {"on_call"} == {one.field for one in publishing.check(written, TEAM, "America/Denver")}


def test_the_defaults_are_those_of_a_clinic_that_has_decided_nothing():
    rules = Rules.of(publishing.rules_of(publishing.Ladder(), {}, "UTC"))
    assert rules == Rules(hours=Hours("UTC"))
