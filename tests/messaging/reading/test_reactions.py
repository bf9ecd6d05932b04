"""What a phone writes where it cannot draw a reaction is no word of its owner; everything beside it is."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from messaging.reading import authorship, reactions

ASKED = (
    "Hi Maria, your visit at Cedar Clinic is tomorrow at 9:00 AM. Reply Y to confirm or R to change. "
    "Reply STOP to end texts, HELP for help."
)
THANKED = "Thank you, Maria. We have you down for Tue Mar 10 at 9:00 AM. See you then! - Cedar Clinic"
SPANISH = "Hola Maria, su cita en Cedar Clinic es mañana a las 9:00 am. Responda S para confirmar."
OURS = [THANKED, ASKED, SPANISH]


def _read(text: str) -> authorship.Authored:
    return authorship.read(text, lambda: OURS)


@pytest.mark.parametrize(
    "text",
    [
        f"Liked “{ASKED}”",
        f'Loved "{ASKED}"',
        f"Disliked '{ASKED}'",
        f"Laughed at “{ASKED}” ",
        f"Emphasized “{ASKED}”",
        f"Questioned “ {ASKED} ”",
        f"Reacted 😂 to “{ASKED}”",
        f"Reacted with 🙏🏽 to “{ASKED}”",
        f"Removed a like from “{ASKED}”",
        f"Removed an exclamation from “{ASKED}”",
        f"Removed 👍 from “{ASKED}”",
        f"\u200a👍\u200b to “\u200a{ASKED}\u200a”",
        f"❤️ “{ASKED}”",
        f"👍 to “ {ASKED.replace('. ', '.  ')}\n”",
        f"Liked “{ASKED[:60]}…”",
        f"Liked “{ASKED[:60]}...”",
        f"Liked “{ASKED[:40]}…HELP for help.”",
        f"Liked “{ASKED[:130]}",
        f"Le gustó “{ASKED}”",
        f"Le encantó «{ASKED}»",
        f"Reaccionó con 👍 a “{ASKED}”",
        f"Quitó un me gusta de “{ASKED}”",
        f"A aimé « {ASKED} »",
        f"A réagi avec ❤️ à « {ASKED} »",
        f"Gostou de “{ASKED}”",
        f"Reagiu com 😂 a “{ASKED}”",
        f"Hat 👍 auf „{ASKED}“ reagiert",
        f"Đã thích “{ASKED}”",
        f"赞了“{ASKED}”",
        f"「{ASKED}」にいいねしました",
        f"LIKED “{ASKED.upper()}”",
    ],
)
def test_a_reaction_to_a_text_of_ours_says_nothing(text: str) -> None:
    authored = _read(text)
    assert (authored.kind, authored.words, authored.silent) == ("reaction", "", True)
    assert authored.to == 1


def test_an_accent_that_was_lost_on_the_way_is_no_difference() -> None:
    assert _read(f"Le gustó “{SPANISH.replace('ñ', 'n')}”").to == 2


@pytest.mark.parametrize(
    ("text", "own"),
    [
        (f"Liked “{ASKED}” I want to die", "I want to die"),
        (f"👍 to “{ASKED}”\nSTOP", "STOP"),
        (f"what does “{ASKED}” mean", "what does mean"),
        (f"I got “{ASKED[:70]}…” but I moved", "I got but I moved"),
        (f"“{ASKED}” Y", "Y"),
    ],
)
def test_what_is_not_quoted_is_read_as_always(text: str, own: str) -> None:
    authored = _read(text)
    assert (authored.kind, authored.words, authored.silent) == ("reaction", own, False)


@pytest.mark.parametrize(
    "text",
    [
        "Liked “Dinner at 8? Reply STOP to end texts”",
        "Liked “STOP”",
        "Loved “Hi…”",
        f"Liked “{ASKED} I want to die”",
        "I liked it. STOP",
        f"Liked {ASKED[:20]}",
        'she said "kill yourself"',
        "Liked an image",
        "“”",
        "\"'“„«",
    ],
)
def test_a_quotation_of_anything_else_is_no_reaction(text: str) -> None:
    assert _read(text) == authorship.Authored(text)


def test_the_carriers_own_texts_are_reacted_to_as_well() -> None:
    authored = authorship.read(
        "Disliked “You have successfully been unsubscribed. You will not receive any more messages from this"
        " number. Reply START to resubscribe.”",
        list,
    )
    assert (authored.kind, authored.to, authored.words) == ("reaction", None, "")


def test_what_was_sent_is_looked_up_only_where_something_is_quoted() -> None:
    def refuse() -> list[str]:
        raise AssertionError("looked up for nothing")

    for text in ("Y", "I'm running late, can't find parking", "STOP", "don't text me", "👍"):
        assert authorship.read(text, refuse).kind is None


@pytest.mark.parametrize(
    ("text", "sign"),
    [
        (f"Liked “{ASKED}”", "Liked"),
        (f"👍🏽 to “{ASKED}”", "👍🏽"),
        (f"Reacted 😂 to “{ASKED}”", "😂"),
        (f"「{ASKED}」にいいねしました", "にいいねしました"),
    ],
)
def test_it_is_said_what_was_done(text: str, sign: str) -> None:
    reaction = reactions.read(text, OURS)
    assert reaction is not None
    assert reaction.sign == sign


@settings(max_examples=200, deadline=None)
@given(st.text(st.sampled_from("“”\"'«»…. aL👍" + ASKED[:10]), max_size=120), st.lists(st.text(max_size=30)))
def test_any_text_is_taken_apart_without_an_error(text: str, ours: list[str]) -> None:
    authored = authorship.read(text, lambda: ours)
    assert authored.kind is not None or authored.words == text
