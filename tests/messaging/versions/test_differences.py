"""What two versions differ in is found field by field, and an entry that moved is not an entry that changed."""

from hypothesis import given
from hypothesis import strategies as st

from messaging.versions.differences import between

KEYS = st.sampled_from(["a", "b", "c", "name"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["", "a", "b"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)
DEFINITIONS = st.dictionaries(KEYS, VALUES, max_size=3)


def told(old, new):
    return [(".".join(difference.path), difference.was, difference.becomes) for difference in between(old, new)]


def test_a_changed_field_is_found_with_what_stood_there_and_what_stands_there_now():
    old = {
        "steps": [{"name": "72h", "before": "72 hours"}, {"name": "2h", "before": "2 hours"}],
        "gap": "3 h",
    }
    new = {
        "steps": [{"name": "72h", "before": "48 hours"}, {"name": "2h", "before": "2 hours"}],
        "gap": "3 h",
    }
    assert told(old, new) == [("steps.72h.before", "72 hours", "48 hours")]


def test_a_step_that_goes_and_one_that_comes_are_one_difference_each():
    gone, new = {"name": "72h", "text": "far"}, {"name": "24h", "text": "far"}
    assert told({"steps": [gone]}, {"steps": [new]}) == [
        ("steps.72h", gone, None),
        ("steps.24h", None, new),
    ]


def test_two_entries_that_changed_places_differ_in_their_order_only():
    first, second = {"name": "a", "x": 1}, {"name": "b", "x": 2}
    assert told({"s": [first, second]}, {"s": [second, first]}) == [("s.in order", ["a", "b"], ["b", "a"])]


def test_an_entry_put_between_others_changes_no_order():
    first, second, third = ({"name": name, "x": 1} for name in "abc")
    assert told({"s": [first, third]}, {"s": [first, second, third]}) == [("s.b", None, second)]


def test_a_list_of_tables_without_names_is_one_field():
    old, new = [{"ask": "backup", "wait": 10}], [{"ask": "lead", "wait": 5}, {"ask": "backup", "wait": 10}]
    assert told({"open": old}, {"open": new}) == [("open", old, new)]


def test_a_table_that_is_to_be_whole_is_one_field():
    old, new = {"hours": {"mon": [8, 17]}}, {"hours": {"mon": [8, 17], "tue": [8, 17]}}
    assert [difference.path for difference in between(old, new, lambda path: path == ("hours",))] == [("hours",)]


@given(DEFINITIONS)
def test_nothing_differs_from_itself(definition):
    assert between(definition, definition) == []


@given(DEFINITIONS, DEFINITIONS)
def test_what_differs_is_found_whatever_stands_there(old, new):
    assert all(difference.was != difference.becomes for difference in between(old, new))


def test_an_empty_list_beside_nothing_is_no_difference():
    assert told({"route": None}, {"route": []}) == []
