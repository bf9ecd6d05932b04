"""Why an act on an item is refused."""

from typing import Any
from uuid import UUID


class Refused(Exception):
    """The item does not allow this now; `why` names the reason, `facts` fill in its words."""

    def __init__(self, why: str, **facts: Any) -> None:
        super().__init__(why)
        self.why, self.facts = why, facts


class NotYet(Refused):
    """A safety item or a screen cannot be closed before a named person has acknowledged it with a disposition."""


class Taken(Refused):
    """Somebody else has the item since the page was drawn: `owner_id`, or nobody any more."""

    def __init__(self, owner_id: UUID | None) -> None:
        super().__init__("taken")
        self.owner_id = owner_id
