"""A text that says two things: what each of them does to the other, where a change of one operator would not show."""

from typing import Any

import pytest

from messaging.reading import read_reply

SAID: dict[tuple[str, bool], dict[str, Any]] = {
    ("Y2?", True): {"answer": None, "code": None, "content": True},
    ("Y2 stop", True): {"consent": "stop", "answer": "confirm", "code": 2, "scope": "all"},
    ("stop R1", True): {"consent": "stop", "answer": "change", "code": 1, "scope": "all"},
    ("yes i'll be there stop", True): {"consent": "stop", "answer": "confirm"},
    ("STOP. Thanks!", True): {"consent": "stop", "answer": None, "thanks": False, "content": False},
    ("STOP. I'm here. Thanks!", True): {"consent": "stop", "answer": "arrived", "content": False},
    ("stop. thanks", True): {"consent": "stop", "why": ("consent.en.revocation",)},
    ("desuscribirme. thanks", True): {"consent": "stop", "why": ("consent.keyword.es.stop",), "thanks": False},
    ("STOP. I will be there. See you soon", True): {"answer": "confirm", "topics": (), "content": False},
    ("stop reminders and everything else no puedo ir", True): {"consent": "stop", "answer": "change", "content": False},
    ("i want out of these texts plan on it", True): {"consent": "stop", "answer": None, "content": True},  # nine words
    ("stop calling and texting the answer is yes", True): {"consent": "stop", "answer": "confirm", "content": True},
    ("ya stop", True): {"consent": "stop", "answer": "confirm"},
    ("ya no me escriban", True): {"consent": "stop", "answer": None},
    ("i want out of these texts yes", True): {"consent": "stop", "answer": "confirm"},
    ("yes" + " " * 9000, True): {"content": True},
    ("stop texting me, cancel my appointment", False): {"consent": "stop", "answer": "change", "scope": "all"},
    ("CANCEL", False): {"consent": "stop", "answer": None},
    ("2", False): {"consent": None, "answer": None, "why": ("answer.not_awaited",)},
    ("I'm here. How much does it cost?", True): {"answer": "arrived", "content": True, "topics": ("billing",)},
    ("I'm here, is my appointment at 3", True): {"answer": "arrived", "content": True, "topics": ("scheduling",)},
    ("I'm here but I need to reschedule", True): {"answer": None, "content": True},
    ("I confirm my appointment but I need to reschedule", True): {"answer": None, "content": True},
}  # fmt: skip


@pytest.mark.parametrize(("text", "awaiting"), SAID, ids=lambda value: str(value)[:40])
def test_each_of_two_things_is_read(text: str, awaiting: bool) -> None:
    read = read_reply.read(text, awaiting=awaiting)
    expected = SAID[text, awaiting]
    assert {name: getattr(read, name) for name in expected} == expected
