"""What our scripts for browsers never do."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Text becomes a part of a page as text; a page that the server has written comes as a document of its own.
NEVER = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|\beval\(|new Function"
)


def test_no_script_puts_text_into_a_page_as_html() -> None:
    scripts = [path for part in ("web", "portal", "intake_links") for path in (ROOT / part).rglob("*.js")]
    assert len(scripts) > 10
    assert [path.name for path in scripts if NEVER.search(path.read_text("utf-8"))] == []
