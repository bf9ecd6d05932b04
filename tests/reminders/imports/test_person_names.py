"""A name in one column is taken apart so that a text greets by the first name and by nothing else."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reminders.imports import person_names

LETTERS = string.ascii_letters + "áéñü'-"
# Words of two letters and more that are no title: those are dropped, or belong to the family's name.
WORD = st.text(LETTERS, min_size=2, max_size=12).filter(
    lambda word: not person_names.SUFFIX.fullmatch(word) and word.strip("'-") == word
)
NAME = st.lists(WORD, min_size=1, max_size=3).map(" ".join)


@pytest.mark.parametrize(
    ("whole", "first", "last"),
    [
        ("O'Brien, Siobhan", "Siobhan", "O'Brien"),
        ("QUILL,ANA M.", "ANA", "QUILL"),
        ("Moss, Jr., Cy", "Cy", "Moss Jr."),
        ("Moss Jr, Cy", "Cy", "Moss Jr"),
        ("Moss, Cy, III", "Cy", "Moss III"),
        ("de la Cruz, Mary Ann", "Mary Ann", "de la Cruz"),
        ('Hart, Diana "Di" R', "Diana", "Hart"),
        ("Hart, Diana (Di)", "Diana", "Hart"),
        ("María López García", "María", "López García"),
        ("Ana Quill", "Ana", "Quill"),
        ("Madonna", "Madonna", ""),
        ("Lee, J", "J", "Lee"),
        ("  Lee ,  Ann ", "Ann", "Lee"),
        ("", "", ""),
    ],
)
def test_a_whole_name_is_taken_apart(whole: str, first: str, last: str) -> None:
    assert person_names.split(whole) == (first, last)


@given(NAME, NAME)
def test_what_books_list_is_taken_apart_as_it_was_put_together(first: str, last: str) -> None:
    assert person_names.split(person_names.joined(first, last)) == (first, last)


@given(WORD, NAME)
def test_without_a_comma_the_first_word_is_the_first_name(first: str, last: str) -> None:
    assert person_names.split(f"{first} {last}") == (first, last)


@given(st.text(max_size=40))
def test_whatever_stands_there_no_greeting_holds_a_comma(whole: str) -> None:
    first, last = person_names.split(whole)
    assert "," not in first
    assert first == first.strip()
    assert last == last.strip()
