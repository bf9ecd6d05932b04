"""The pages of help: Markdown files beside this one, made HTML once; nothing in them is anybody's input."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from markdown_it import MarkdownIt

# In the order of the contents: who begins, reads them in it. Each is a file here, `<name>.md`, that opens with a title.
NAMES = (
    "start",
    "today",
    "visits",
    "inbox",
    "safety",
    "reading",
    "handoffs",
    "team",
    "patients",
    "caseload",
    "reach",
    "board",
    "workload",
    "review",
    "away",
    "clocks",
    "preferences",
    "account",
    "access",
    "settings",
)
# Which help is about a page that bears another mark than its help.
ABOUT = {
    **dict.fromkeys(("mine", "unassigned", "waiting", "snoozed", "done", "everyone", "saved"), "inbox"),
    **dict.fromkeys(
        (
            "clinic",
            "people",
            "single_sign_on",
            "api_keys",
            "webhooks",
            "cadence",
            "words",
            "schedule",
            "ladder",
            "rota",
            "setup",
        ),
        "settings",
    ),
    "handoff_terms": "handoffs",
    **dict.fromkeys(("case_reviews", "care_terms", "care_month", "views_terms"), "caseload"),
    **dict.fromkeys(("brakes", "social_wording", "drift", "import", "feeds", "file"), "settings"),
    **dict.fromkeys(("emergencies", "audit", "shredding"), "access"),
    "protocol": "safety",
    **dict.fromkeys(("second_reading", "readings"), "reading"),
    **dict.fromkeys(("tasks", "notes", "announcements"), "team"),
}


@dataclass(frozen=True)
class Text:
    """One page of help: its title, and the rest as HTML."""

    title: str
    html: str


def about(here: str | None) -> str:
    """Return the name of the help about the page with this mark; where there is none, where to start."""
    name = ABOUT.get(here or "", here or "")
    return name if name in NAMES else NAMES[0]


@cache
def every() -> Mapping[str, Text]:
    """Return all pages of help by name, in the order of the contents."""
    # HTML in a file is shown as it is typed: the pages need none, and so none can slip in.
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    return {name: _read(markdown, name) for name in NAMES}


def _read(markdown: MarkdownIt, name: str) -> Text:
    source = resources.files("web").joinpath("help", f"{name}.md").read_text(encoding="utf-8")
    title, _, rest = source.partition("\n")
    return Text(title.removeprefix("# ").strip(), markdown.render(rest))
