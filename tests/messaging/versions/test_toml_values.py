"""Whatever can stand in a TOML file is written so that it reads back as the same."""

import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from messaging.versions import toml_values

TEXTS = st.text(alphabet=st.characters(exclude_categories=("Cs",)), max_size=30)
PLAIN = TEXTS | st.integers(-(2**53), 2**53) | st.booleans()
CONTENTS = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3), max_leaves=8
)


@settings(max_examples=300, deadline=None)
@given(table=st.dictionaries(TEXTS, CONTENTS, max_size=4))
def test_what_was_written_reads_back_as_the_same(table: dict[str, object]) -> None:
    assert tomllib.loads("\n".join(toml_values.fields(table))) == table


@pytest.mark.parametrize(
    ("table", "line"),
    [
        ({"name": 'the "blue" room'}, r'name = "the \"blue\" room"'),
        ({"a b": "c\\d\x7f\n"}, r'"a b" = "c\\d\u007f\n"'),
        ({"rosa@clinic.example": ("x", 1, True)}, '"rosa@clinic.example" = ["x", 1, true]'),
        ({"steps": [{"ask": "backup", "wait": 10}]}, 'steps = [{ ask = "backup", wait = 10 }]'),
        ({"": "día"}, '"" = "día"'),
    ],
)
def test_a_field_is_one_line_with_as_few_quotes_as_possible(table: dict[str, object], line: str) -> None:
    assert list(toml_values.fields(table)) == [line]
