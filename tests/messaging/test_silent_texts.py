"""Texts the carrier has fallen silent about: asked after, acted upon, and not for ever."""

from datetime import timedelta

import pytest
import time_machine

from config import clock
from messaging.delivery import deliver, reconciling


def test_the_carrier_is_asked_after_a_text_it_has_fallen_silent_about(network, desk, new_patient, later):
    message = desk.text(new_patient())
    deliver.deliver("bulk")
    network.settled(desk.now(message).provider_sid, "delivered")
    later(30 * 60)
    assert desk.state(message) == "sent"
    later(61 * 60)
    assert desk.state(message) == "delivered"


@pytest.mark.parametrize("number", ["+13035550195", "+13035550196"])
def test_what_the_carrier_says_when_asked_is_acted_upon(network, desk, new_patient, later, number):
    message = desk.text(new_patient(number=number))
    deliver.deliver("bulk")
    network.settled(desk.now(message).provider_sid, "undelivered")
    later(61 * 60)
    assert desk.state(message) == "undelivered"
    assert len(desk.items()) == 1


def test_a_text_that_stays_sent_is_not_asked_after_for_ever(network, desk, new_patient):
    message, start = desk.text(new_patient(number="+13035550199")), clock.now()
    deliver.deliver("bulk")
    looked = 0
    for hours in range(2, 200, 7):
        with time_machine.travel(start + timedelta(hours=hours), tick=False):
            looked += reconciling.reconcile()
    assert desk.state(message) == "sent"
    assert 1 <= looked <= 8
