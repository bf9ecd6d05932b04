"""Invented texts for tests: one that may be a crisis and says so by no word, and some that are none by any weights."""

from messaging.reading import likeness, read_reply

CANDIDATES = (
    "bottle is empty now just waiting",
    "the bottle is empty and im just waiting now",
    "nobody needs to set a plate for me anymore",
    "tell the kids it was never about them",
    "they will all sleep better once im not around",
    "i left the keys and the papers on the table for whoever finds them",
    "i wont be needing the next appointment or any after",
    "just want it quiet for good",
    "it hurts less when i see the blood",
    "hes home and ive been drinking and the drawer isnt locked",
)
ORDINARY = "is the side door open on fridays"


def _may_be(text: str) -> bool:
    """Whether the reader alone calls it a worry, also behind a yes and before a question about a visit."""
    read = read_reply.read(text)
    named = read.crisis or read.consent or read.answer
    beside = (f"Y. {text}", f"{text}. can I move my appointment")
    return not named and _band(text) == "worry" and "none" not in map(_band, beside)


def _band(text: str) -> str:
    heard = likeness.read(text)
    return heard.band if heard else ""


# Which of them are worries changes with the weights; that none is would be worth knowing.
WORRYING = next((text for text in CANDIDATES if _may_be(text)), "")
