"""What of a text its sender wrote: without what a phone quotes of ours in a reaction, or a robot's words. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from messaging.reading import reactions, robots

Kind = Literal["reaction", "robot"]


@dataclass(frozen=True)
class Authored:
    """The sender's own `words`, which may be none; what the rest is; which text of ours was reacted to, if known."""

    words: str
    kind: Kind | None = None
    to: int | None = None

    @property
    def silent(self) -> bool:
        """Whether a phone or a network wrote it all."""
        return self.kind is not None and not self.words.strip()


def read(text: str, ours: Callable[[], Sequence[str]]) -> Authored:
    """Return what its sender wrote of `text`. `ours`, asked only if need be, says what they were sent, latest first."""
    rest = robots.rest(text)
    if rest is not None:
        return Authored(rest, "robot")
    if not reactions.may_be(text):
        return Authored(text)
    sent = ours()
    reaction = reactions.read(text, [*sent, *reactions.carriers_own()])
    if reaction is None:
        return Authored(text)
    return Authored(reaction.rest, "reaction", reaction.to if reaction.to < len(sent) else None)
