"""docs/security.md says by role which fields are seen and changed: as the table of acts has it."""

import re
from pathlib import Path

from web import permissions

PAGE = (Path(__file__).parents[2] / "docs/security.md").read_text("utf-8")
ROW = re.compile(r"^\| [^|]+ \| ([a-z_]+\.[a-z_]+) \| ([a-z_, ]+) \|$", re.M)


def test_the_page_names_for_each_act_the_roles_that_may() -> None:
    told = {act: set(roles.split(", ")) for act, roles in ROW.findall(PAGE)}
    assert len(told) >= 13
    held = {act: {role for role in permissions.MAY if permissions.may(role, act)} for act in told}
    assert told == held
