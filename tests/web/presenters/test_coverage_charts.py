"""The pictures of the escalation policy stay inside their boxes and say what the numbers say."""

import re
from itertools import pairwise

from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

from web.presenters import coverage_charts

NAMES = st.sampled_from(((), ("Rosa",), ("Ines Okafor", "Ben")))


@st.composite
def days(draw):
    turns = [0, *sorted(draw(st.sets(st.integers(1, 1439), max_size=8))), 1440]
    return [(begin, end, draw(NAMES)) for begin, end in pairwise(turns)]


@profile(max_examples=40, deadline=None)
@given(week=st.lists(days(), min_size=7, max_size=7))
def test_the_week_covers_every_minute_once(week):
    picture = coverage_charts.week(week)
    for day, (_, _, stretches) in zip(week, picture.days, strict=True):
        assert [(stretch.start, stretch.end, stretch.names) for stretch in stretches] == day
        assert all(abs(stretch.x + stretch.width - following.x) < 0.01 for stretch, following in pairwise(stretches))
        assert stretches[-1].x + stretches[-1].width <= picture.width + 0.01
    assert picture.whole == all(names for day in week for *_, names in day)


@profile(max_examples=60, deadline=None)
@given(minutes=st.lists(st.floats(0, 10_000), max_size=40), unseen=st.integers(0, 9), limit=st.integers(1, 480))
def test_the_curve_only_rises_and_stays_in_its_box(minutes, unseen, limit):
    picture = coverage_charts.seen(minutes, len(minutes) + unseen, limit)
    across = [float(x) for x in re.findall(r"H([\d.]+)", picture.path)]
    up = [float(y) for y in re.findall(r"V([\d.]+)", picture.path)]
    assert across == sorted(across)
    assert up == sorted(up, reverse=True)
    assert all(picture.left <= x <= picture.right for x in across)
    assert all(picture.ceiling <= y <= picture.floor for y in up)
    assert picture.left < picture.deadline < picture.right
