"""What every carrier must do for us, asked of each that we have by the network it speaks with."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from messaging.gateways import twilio
from messaging.gateways.base import Gateway, OutcomeUnknown, Outgoing, Refused

US, PATIENT, OTHER = "+13035550100", "+13035550117", "+13035550118"


@dataclass(frozen=True)
class Carrier:
    """A gateway with the fixture of its simulated network and how that network plays each part."""

    make: Callable[[], Gateway]
    network: str
    refuses: tuple[str, int]  # a number to which nothing may be sent, and the code it is refused with
    breaks: dict[str, Any]  # a fault under which nobody can say whether a text was taken


CARRIERS = {
    "twilio": Carrier(twilio.gateway, "network", ("+13035550190", 21211), {"answer": "503"}),
}


@pytest.mark.parametrize("carrier", CARRIERS.values(), ids=CARRIERS)
class TestEveryGateway:
    """One test class for all of them: a second carrier is one more row of CARRIERS."""

    @pytest.fixture
    def network(self, carrier: Carrier, request: pytest.FixtureRequest) -> Any:
        return request.getfixturevalue(carrier.network)

    @pytest.fixture
    def gateway(self, carrier: Carrier, network: Any) -> Gateway:
        return carrier.make()

    def text(self, to: str = PATIENT, body: str = "See you on Monday.") -> Outgoing:
        return Outgoing(to, US, None, body, "https://clinic.example/status/x", 60)

    def test_it_says_that_it_is_one_and_has_every_method(self, gateway: Gateway) -> None:
        assert Gateway in type(gateway).__mro__
        assert not inspect.isabstract(type(gateway))
        assert all(name in vars(type(gateway)) for name in Gateway.__abstractmethods__)

    def test_a_text_that_is_taken_has_an_id_by_which_it_is_found_again(self, gateway: Gateway) -> None:
        sid = gateway.send(self.text())
        text = gateway.fetch(sid)
        assert text is not None
        assert (text.sid, text.body) == (sid, "See you on Monday.")

    def test_what_was_taken_is_listed_for_its_number_and_time_only(self, gateway: Gateway) -> None:
        now, sid = datetime.now(UTC), gateway.send(self.text())
        assert [text.sid for text in gateway.find(PATIENT, now - timedelta(minutes=2))] == [sid]
        assert gateway.find(OTHER, now - timedelta(minutes=2)) == []
        assert gateway.find(PATIENT, now + timedelta(minutes=2)) == []

    def test_one_send_is_one_text(self, gateway: Gateway, network: Any) -> None:
        before = network.asked()
        gateway.send(self.text())
        assert network.asked() == before + 1

    def test_a_no_is_refused_with_its_code_and_without_the_number(self, gateway: Gateway, carrier: Carrier) -> None:
        to, code = carrier.refuses
        with pytest.raises(Refused) as refused:
            gateway.send(self.text(to))
        assert refused.value.code == code
        assert to not in repr(refused.value)

    def test_what_nobody_can_say_is_unknown_and_never_tried_again(
        self, gateway: Gateway, network: Any, carrier: Carrier
    ) -> None:
        network.faults(carrier.breaks)
        before = network.asked()
        with pytest.raises(OutcomeUnknown):
            gateway.send(self.text())
        assert network.asked() <= before + 1

    def test_a_text_it_does_not_know_is_none(self, gateway: Gateway) -> None:
        assert gateway.fetch("SM" + "0" * 32) is None

    def test_forgetting_an_attachment_it_does_not_know_is_done(self, gateway: Gateway) -> None:
        gateway.delete_attachment("SM" + "0" * 32, "ME" + "0" * 32)
