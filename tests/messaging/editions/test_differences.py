"""What two editions differ in is said field by field, and an entry that moved is not an entry that changed."""

from hypothesis import given
from hypothesis import strategies as st

from messaging.editions.differences import between

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", min_size=1), inner, max_size=3)
    ),
    max_leaves=8,
)


def test_a_changed_field_is_named_with_what_stood_there_and_what_stands_there_now():
    old = {
        "steps": [{"name": "72h", "before": "72 hours"}, {"name": "2h", "before": "2 hours"}],
        "gap": "3 h",
    }
    new = {
        "steps": [{"name": "72h", "before": "48 hours"}, {"name": "2h", "before": "2 hours"}],
        "gap": "3 h",
    }
    assert [vars(one) for one in between(old, new)] == [
        {"field": "steps[72h].before", "was": "72 hours", "becomes": "48 hours"}
    ]


def test_a_step_that_goes_and_one_that_comes_are_told_apart_by_name():
    old = {"steps": [{"name": "72h", "text": "far"}]}
    new = {"steps": [{"name": "24h", "text": "far"}]}
    found = {one.field: (one.was, one.becomes) for one in between(old, new)}
    assert found["steps[72h].text"] == ("far", None)
    assert found["steps[24h].text"] == (None, "far")


def test_two_entries_that_changed_places_differ_in_their_order_only():
    one, two = {"name": "a", "x": 1}, {"name": "b", "x": 2}
    assert [found.field for found in between({"s": [one, two]}, {"s": [two, one]})] == ["s in order"]


@given(st.dictionaries(st.text("abc", min_size=1), VALUES, max_size=3))
def test_nothing_differs_from_itself(definition):
    assert between(definition, definition) == []


def test_what_a_new_entry_leaves_empty_is_no_difference():
    rule = {"name": "a", "to": "panel", "kinds": [], "role": "", "existing": False}
    found = between({"route": []}, {"route": [rule]})
    assert "route[a].existing" in [one.field for one in found]
    assert not any(one.field in ("route[a].kinds", "route[a].role") for one in found)
