"""The pictures of the ladder stay inside their boxes and say what the numbers say."""

import re

from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

from web import curves

CELLS = st.lists(
    st.lists(st.sampled_from(((), ("Rosa",), ("Ines Okafor", "Ben"))), min_size=24, max_size=24),
    min_size=7,
    max_size=7,
)


@profile(max_examples=40, deadline=None)
@given(cells=CELLS)
def test_the_week_covers_every_hour_once(cells):
    picture = curves.week(cells)
    for cell, (_, _, stretches) in zip(cells, picture.days, strict=True):
        assert [one.names for one in stretches for _ in range(one.end - one.start)] == cell
        assert stretches[-1].x + stretches[-1].width <= picture.width
    assert picture.whole == all(all(day) for day in cells)


@profile(max_examples=60, deadline=None)
@given(
    minutes=st.lists(st.floats(0, 10_000), max_size=40), unseen=st.integers(0, 9), limit=st.integers(1, 480)
)
def test_the_curve_only_rises_and_stays_in_its_box(minutes, unseen, limit):
    picture = curves.seen(minutes, len(minutes) + unseen, limit)
    across = [float(x) for x in re.findall(r"H([\d.]+)", picture.path)]
    up = [float(y) for y in re.findall(r"V([\d.]+)", picture.path)]
    assert across == sorted(across)
    assert up == sorted(up, reverse=True)
    assert all(picture.left <= x <= picture.right for x in across)
    assert all(picture.ceiling <= y <= picture.floor for y in up)
    assert picture.left < picture.deadline < picture.right
