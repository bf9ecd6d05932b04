"""The calendar file, read back by a reader written apart from the writer."""

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from portal import calendar_files
from portal.calendar_files import Entry

MOMENT = datetime(2026, 3, 5, 21, 20, tzinfo=UTC)
WRITABLE = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\u2028\u2029"), max_size=200)


def entry(**facts):
    defaults = {"uid": "u-1", "revision": 3, "starts_at": MOMENT, "changed_at": MOMENT, "state": "booked"}
    return Entry(**(defaults | {"title": "Appointment"} | facts))


def unfolded(file):
    """The content lines of RFC 5545 3.1: CRLF ends a line unless a space or a tab follows."""
    assert file.endswith(b"\r\n")
    return re.sub(rb"\r\n[ \t]", b"", file).decode().removesuffix("\r\n").split("\r\n")


def values(file):
    return dict(line.split(":", 1) for line in unfolded(file) if not line.startswith(("BEGIN", "END")))


def unescaped(value):
    return re.sub(r"\\(.)", lambda match: "\n" if match[1] in "nN" else match[1], value, flags=re.S)


@given(title=WRITABLE, place=WRITABLE)
@example("Cita; con coma, barra \\ y\ntexto", "ñ" * 90)
@example("\U0001f33f" * 60, "\\n")
def test_whatever_is_written_is_read_back_and_no_line_is_longer_than_75_octets(title, place):
    file = calendar_files.write(entry(title=title, place=place))
    for line in file.split(b"\r\n"):
        assert len(line) <= 75
        line.decode()  # folded between characters, never within one
    read = values(file)
    assert unescaped(read["SUMMARY"]) == title
    assert unescaped(read.get("LOCATION", "")) == place


@given(st.text(max_size=120))
def test_no_text_can_begin_a_line_of_its_own(text):
    lines = unfolded(calendar_files.write(entry(title=text, place="x" + text)))
    assert [line.split(":")[0].split(";")[0] for line in lines] == [
        "BEGIN", "VERSION", "PRODID", "METHOD", "BEGIN", "UID", "SEQUENCE", "DTSTAMP", "DTSTART", "SUMMARY",
        "LOCATION", "STATUS", "CLASS", "END", "END",
    ]  # fmt: skip


@given(
    st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1)),
    st.integers(-12 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)
def test_moments_are_written_in_utc(wall, zone):
    at = wall.replace(tzinfo=zone)
    written = values(calendar_files.write(entry(starts_at=at)))["DTSTART"]
    assert datetime.strptime(written, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC) == at.replace(microsecond=0)


@pytest.mark.parametrize(
    ("state", "method", "status"),
    [
        ("booked", "PUBLISH", "CONFIRMED"),
        ("confirmed", "PUBLISH", "CONFIRMED"),
        ("change_asked", "PUBLISH", "TENTATIVE"),
        ("cancelled", "CANCEL", "CANCELLED"),
    ],
)
def test_a_cancelled_visit_is_taken_out_of_the_calendar(state, method, status):
    read = values(calendar_files.write(entry(state=state)))
    assert (read["METHOD"], read["STATUS"], read["UID"], read["SEQUENCE"]) == (method, status, "u-1", "3")


def test_the_file_says_no_more_than_it_was_told():
    assert "LOCATION" not in values(calendar_files.write(entry()))
    assert b"DESCRIPTION" not in calendar_files.write(entry(place="Room 4"))
