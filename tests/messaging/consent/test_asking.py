"""The words of consent: every line of the ledger leads back to what was asked, said or answered."""

import tomllib
from pathlib import Path

import pytest
from sqlalchemy import select

from config import db
from messaging.consent import asking, ledger
from messaging.models import PROGRAMMES, ConsentEntry
from messaging.wording import text_templates

ROOT = Path(__file__).parents[3]
SOURCES = ("import", "staff", "spoken", "form", "text")
NUMBER = "+13035550117"


@pytest.mark.parametrize("event", ["granted", "revoked"])
@pytest.mark.parametrize("source", SOURCES)
def test_every_way_of_saying_so_has_its_words_in_both_languages(source, event):
    version = asking.present(source, event)
    assert asking.title(version)
    for programme in PROGRAMMES:
        spoken = {asking.text(version, programme, language) for language in asking.LANGUAGES}
        assert len(spoken) == 2
        assert None not in spoken


def test_what_holds_now_was_kept():
    now = tomllib.loads((ROOT / "messaging" / "texts" / "consent.toml").read_text("utf-8"))["now"]
    assert set(now.values()) <= set(asking.versions())
    assert all(len(version) <= 40 for version in asking.versions())


@pytest.mark.parametrize("language", asking.LANGUAGES)
@pytest.mark.parametrize(
    ("event", "key", "programme"),
    [
        ("revoked", "stopped", "care_team"),
        ("revoked_some", "stopped_reminders", "reminders"),
        ("revoked_some", "stopped_screening", "screening"),
        ("granted", "started", "care_team"),
    ],
)
def test_the_answer_we_send_is_the_version_we_write_down(language, event, key, programme):
    """Whoever changes the text must write a new version of it: what was sent before stays provable."""
    version = asking.present("text", event)
    assert asking.text(version, programme, language) == text_templates.texts(language)[key]


def test_a_line_from_before_versions_were_kept_has_no_words_and_breaks_nothing():
    for version in (None, "a version of another house"):
        assert asking.text(version, "reminders", "en") is None
        assert asking.title(version) is None


def test_a_language_we_do_not_have_is_answered_in_english():
    version = asking.present("spoken", "granted")
    english = asking.text(version, "reminders", "en")
    assert asking.text(version, "reminders", "vi") == english
    assert asking.text(version, "reminders", "es-MX") != english


@pytest.mark.parametrize("source", [*SOURCES, "carrier"])
def test_every_new_line_keeps_the_version_of_its_words(clinic, source):
    with db.unit_of_work(clinic.id) as session:
        ledger.record(session, clinic, NUMBER, "revoked", source=source, actor="staff:x")
        kept = set(session.scalars(select(ConsentEntry.wording)))
    assert kept == {asking.present(source, "revoked")}
    assert None not in kept


def test_only_what_the_carrier_enforces_counts_as_the_carrier_s():
    assert asking.present("carrier", "revoked") in asking.carriers()
    assert asking.present("text", "revoked_keyword") in asking.carriers()
    assert asking.present("text", "revoked") not in asking.carriers()
