"""What one administrator does not give alone: which roles, which changes, which links."""

from hypothesis import given
from hypothesis import strategies as st

from web import guarded_access, permissions

ROLES = st.sampled_from(sorted(permissions.MAY))


def test_the_guarded_roles_are_those_that_read_words_and_administrators() -> None:
    guarded = {role for role in permissions.MAY if guarded_access.guards(role)}
    assert guarded == {"care_manager", "clinician", "psychiatric_consultant", "clinic_admin"}
    reading = {role for role in permissions.MAY if permissions.may(role, "inbox.words")}
    assert reading | {"clinic_admin"} == guarded


@given(ROLES, ROLES, st.booleans(), st.booleans())
def test_a_role_that_can_do_more_waits_whatever_else_is_changed_and_by_whom(
    was: str, becomes: str, other_number: bool, own: bool
) -> None:
    waits = guarded_access.change_waits(was, becomes, other_number=other_number, own=own)
    gained = guarded_access.GUARDED & permissions.MAY[becomes] - permissions.MAY[was]
    assert waits or not gained
    assert not waits or gained or (other_number and not own and guarded_access.guards(becomes))


@given(ROLES, ROLES, ROLES)
def test_no_way_round_by_a_role_between_gives_more_than_the_straight_way(first: str, between: str, last: str) -> None:
    if guarded_access.widens(first, last):
        assert guarded_access.widens(first, between) or guarded_access.widens(between, last)


@given(ROLES, st.booleans(), st.booleans())
def test_a_link_waits_where_it_lets_back_in_or_would_be_shown_and_never_ones_own(
    role: str, comes_back: bool, shown: bool
) -> None:
    waits = guarded_access.link_waits(role, comes_back=comes_back, shown=shown, own=False)
    assert waits == (guarded_access.guards(role) and (comes_back or shown))
    assert not guarded_access.link_waits(role, comes_back=comes_back, shown=shown, own=True)
