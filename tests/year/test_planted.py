"""What is planted in a simulated year its oracles find: a network that loses what comes in, and doubles what leaves."""

from dataclasses import replace
from datetime import date, datetime

from messaging.gateways.base import Listing, Outgoing, always
from tools.year import turning
from tools.year.phones import Phones, Typed


class Careless(Phones):
    """Loses every webhook, has an empty list, and takes every text of ours twice."""

    def type(self, sender: str, to: str, body: str) -> Typed:
        """Let a phone write, and nobody hear of it."""
        return replace(super().type(sender, to, body), lost=True)

    def came(self, _to: str | None, _since: datetime, _until: datetime, _limit: int) -> Listing:
        """Know of nothing that came."""
        return Listing([], None)

    def send(self, text: Outgoing, still=always) -> str:
        """Take a text twice."""
        super().send(text, still)
        return super().send(text, still)


def test_what_a_careless_network_loses_and_doubles_is_found(monkeypatch):
    monkeypatch.setattr(turning, "Phones", Careless)
    year = turning.run(3, 2, 2, date(2027, 3, 13))
    seen = {f"{finding.oracle} {finding.kind}" for finding in year.findings}
    assert seen >= {"O1 lost", "O5 doubled"}, seen
