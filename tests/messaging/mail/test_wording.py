"""No mail says anything of a patient: every kind in both languages is read here, as the linter of our own words."""

import re
import string
import tomllib
from email import message_from_bytes, policy
from importlib import resources

import pytest

from messaging.inbox.staff import channels
from messaging.mail import smtp, wording

TEXTS = tomllib.loads(resources.files("messaging").joinpath("texts/mail.toml").read_text("utf-8"))
EVERY = [(language, kind) for language in wording.LANGUAGES for kind in wording.kinds()]
every = pytest.mark.parametrize(("language", "kind"), EVERY)
LINK = "https://clinic.example/inbox/0190c0de-0000-7000-8000-000000000000"
FILLED = {"link": LINK, "preferences": "https://clinic.example/preferences", "waiting": "4", "late": "1"}
# What would say of which kind it is, whom it is about, or what the clinic does.
TELLING = re.compile(
    r"patient|paciente|safety|segur|crisis|suicid|screen|cuestionario|phq|\bgad\b|score|punt|depress|depres|anxi|ansied|"
    r"health|salud|therap|terap|psych|psiqui|visit|visita|cita\b|appointment|clinic\b|clínica",
    re.IGNORECASE,
)


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@every
def test_no_words_of_ours_tell_of_anybody(language, kind):
    words = wording.say(kind, language, **FILLED)
    ours = re.sub(r"https://\S+", "", f"{words.subject}\n{words.body}")
    assert TELLING.findall(ours) == []


@every
def test_nothing_can_be_filled_in_but_counts_and_addresses_of_ours(language, kind):
    words = TEXTS[language][kind]
    assert places(words["subject"]) == set()
    assert places(words["says"]) <= {"link", "waiting", "late"}
    assert places(TEXTS[language]["closing"]) == {"preferences"}
    assert "link" in places(words["says"])


def test_a_name_finds_no_place_in_a_mail():
    with pytest.raises(ValueError, match="first_name"):
        wording.say("screen", "en", **FILLED, first_name="Maya")


def test_both_languages_have_every_kind_and_every_nudge_has_a_mail():
    assert set(TEXTS["en"]) == set(TEXTS["es"])
    assert set(channels.KINDS) | {"confirm", "sign_in_link"} == set(wording.kinds())


def test_the_digest_says_counts_and_a_way_to_sign_in_and_nothing_else():
    body = wording.say("digest", "en", **FILLED).body
    assert body.startswith(f"Waiting for you: 4\nOf these past their time: 1\n\nSign in: {LINK}\n")


def test_a_colleague_is_written_to_in_the_first_language_that_we_speak():
    assert wording.language_of(["fr", "es", "en"]) == "es"
    assert wording.language_of(["fr"]) == "en"


@every
def test_headers_carry_no_more_than_a_mail_needs(language, kind):
    words = wording.say(kind, language, **FILLED)
    made = smtp.message(
        sender="warmthread@clinic.example",
        to="rosa@clinic.example",
        subject=words.subject,
        body=words.body,
        message_id="<1@clinic.example>",
        at="Mon, 30 Nov 2026 21:00:00 +0000",
    )
    raw = made.as_bytes()
    assert all(byte < 128 for byte in raw)
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    read = message_from_bytes(raw, policy=policy.default)
    assert set(read.keys()) == {
        *("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "X-Auto-Response-Suppress"),
        *("Content-Type", "Content-Transfer-Encoding", "MIME-Version"),
    }
    assert read["Subject"] == words.subject
    assert read.get_content().replace("\r\n", "\n").strip() == words.body.strip()


def test_a_line_break_in_a_header_is_refused():
    facts = {"sender": "a@b.example", "body": "x", "message_id": "<1@b.example>", "at": "x"}
    with pytest.raises(ValueError, match="linefeed"):
        smtp.message(to="rosa@clinic.example\r\nBcc: x@evil.example", subject="x", **facts)
