"""Ready-made sentences of phones and networks are filed; what somebody adds to them is theirs."""

import pytest

from messaging.reading import authorship, read_reply


def _read(text: str) -> authorship.Authored:
    return authorship.read(text, list)


@pytest.mark.parametrize(
    "text",
    [
        "Sorry, I can't talk right now.",
        "Sorry, I can’t talk right now",
        "Can't talk now. What's up?",
        "En este momento no puedo hablar.",
        "(I’m not receiving notifications. If this is urgent, reply “urgent” to send a notification through with your"
        " original message.)",
        "No estoy recibiendo notificaciones. Si es urgente, responde “urgente” para enviar una notificación con tu"
        " mensaje original.",
        "Hi, I'm driving and can't look at my phone. I'll reply when I arrive.",
        "I'm driving with Do Not Disturb While Driving turned on. I’ll see your message when I get where I'm going.",
        "I'm driving with Driving Focus turned on. I’ll see your message when I get where I’m going.",
        "Estoy conduciendo y no puedo ver mi teléfono. Te contesto cuando llegue.",
        "Auto-reply: I am out of the office until Monday. If this is an emergency call 911.",
        "AUTO-REPLY: I am out of the office until Monday. If this is an emergency call 911.",
        "Automatic reply: I'm currently out of the office and will return on Monday, January 5. "
        "For emergencies dial 911.",
        "Respuesta automática: Estoy fuera de la oficina hasta el lunes 12 de enero. "
        "En caso de emergencia llame al 911.",
        "This is an automated response. This number is not monitored.",
        "Recipient has opted out",
        "Free Msg: Unable to send message - Message Blocking is active.",
    ],
)
def test_what_a_phone_or_network_says_by_itself_is_no_word_of_the_patient(text: str) -> None:
    assert _read(text) == authorship.Authored("", "robot")


@pytest.mark.parametrize(
    ("text", "own"),
    [
        ("Sorry, I can't talk right now. I want to die", "I want to die"),
        ("I'm not receiving notifications. he is here with a gun", "he is here with a gun"),
        ("Auto-reply: I am out of the office until Monday. STOP", "STOP"),
        (
            "En este momento no puedo hablar.\nme tomé todas las pastillas",
            "me tomé todas las pastillas",
        ),
    ],
)
def test_what_is_added_is_read_as_always(text: str, own: str) -> None:
    assert _read(text) == authorship.Authored(own, "robot")
    assert read_reply.read(own).crisis or read_reply.read(own).consent == "stop"


@pytest.mark.parametrize(
    "text",
    [
        "I can't talk right now",
        "sorry i cant talk right now he is listening",
        "I'm driving",
        "I am out of the office until I kill myself",
        "If this is an emergency call 911.",
        "call 911",
        "I opted out",
        "No puedo hablar",
    ],
)
def test_what_a_person_may_have_written_is_read_as_always(text: str) -> None:
    assert _read(text) == authorship.Authored(text)
