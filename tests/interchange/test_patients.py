"""Who a patient is, how they are reached, whether they died, which records are one."""

from typing import Any

import pytest

from tests.interchange.messages import PID, act, explained, header, problems

OTHER = PID.replace("4711^^^ELM^MR", "4712^^^ELM^MR")


def adt(event: str, *segments: str) -> str:
    return "\r".join([header(event), *(segments or (PID,))])


def person(pid: str, profile: dict[str, Any] | None = None) -> dict[str, Any]:
    return dict(act(adt("A08", pid), profile)["person"])


def phones(*numbers: str, profile: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = person(f"PID|1||4711||RIVER^ANA||||||||{'~'.join(numbers)}", profile)["phones"]
    return told


@pytest.mark.parametrize("event", ["A01", "A03", "A04", "A08", "A28", "A31"])
def test_a_patient_is_updated(event: str) -> None:
    told = act(adt(event))
    assert (told["act"], told["patient"]["identifier"], told["patient"]["authority"]) == (
        "patient.update", "4711", "ELM"
    )  # fmt: skip


def test_the_feed_s_own_kind_of_identifier_comes_first_and_all_are_told() -> None:
    pid = PID.replace("4711^^^ELM^MR", "999^^^USSSA^SS~4711^^^ELM&1.2&ISO^MR~8^^^&1.9&ISO")
    told = act(adt("A08", pid))
    assert told["patient"]["identifier"] == "4711"
    assert [known["authority"] for known in told["identifiers"]] == ["USSSA", "ELM", "1.9"]


def test_an_identifier_without_authority_has_the_feed_s() -> None:
    pid = PID.replace("4711^^^ELM^MR", "4711")
    assert act(adt("A08", pid))["patient"] == {"identifier": "4711", "authority": None}
    assert act(adt("A08", pid), {"authority": "ELM"})["patient"]["authority"] == "ELM"


def test_before_version_2_4_a_patient_may_stand_in_pid_2_or_4() -> None:
    assert act(adt("A08", "PID|1|4711|||RIVER^ANA"))["patient"]["identifier"] == "4711"
    assert act(adt("A08", "PID|1|||4711^^^ELM|RIVER^ANA"))["patient"]["authority"] == "ELM"


def test_a_patient_without_identifier_is_for_the_sender_to_mend() -> None:
    message = adt("A08", "PID|1||||RIVER^ANA")
    assert (explained(message)["ack"], problems(message)) == ("AE", ["patient_missing"])


def test_two_quotes_delete_and_nothing_changes_nothing() -> None:
    assert person('PID|1||4711||RIVER^ANA||""||||||||""') == {
        "last_name": "RIVER", "first_name": "ANA", "birth_date": None, "language": None,
    }  # fmt: skip
    assert person("PID|1||4711||RIVER^ANA") == {"last_name": "RIVER", "first_name": "ANA"}
    assert phones('""^^CP') == [{"number": None, "kind": "mobile", "deleted": True}]


def test_a_phone_that_the_ehr_has_deleted_is_told() -> None:
    assert problems(adt("A31", 'PID|1||4711||RIVER^ANA||||||||""')) == ["phone_deleted"]


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ("(303)555-0101", None),
        ("^PRN^CP^^^303^5550101", "mobile"),
        ("^PRN^PH^^1^303^5550101", "home"),
        ("^^CELL^^^^^^^^^3035550101", "mobile"),
        ("^ORN^PH^(303) 555-0101", "other"),
        ("3035550101^MOBILE", "mobile"),
        ("3035550101^^^MOBILE^^^^^Y", "mobile"),
        ("3035550101^HOME", "home"),
        ("^WPN^PH^^^303^5550101", "work"),
    ],
)
def test_a_number_is_found_in_each_of_its_forms(written: str, kind: str | None) -> None:
    (phone,) = phones(written)
    assert (phone["number"], phone["kind"]) == ("+13035550101", kind)


def test_consent_to_texts_is_each_number_s_own() -> None:
    told = phones("3035550101^^^HOME^^^^^Y", "3035550102^^^MOBILE^^^^^N", "3035550103^^CP^^^^^^gate code 7")
    assert [phone["texts"] for phone in told] == [True, False, None]


def test_a_feed_may_say_where_consent_and_phones_stand() -> None:
    (told,) = phones("3035550101^^CP^^^^^^Y^N", profile={"consent_component": 10})
    assert told["texts"] is False
    (told,) = phones("3035550101^^CP^^^^^^N", profile={"consent_component": 0})
    assert told["texts"] is None
    moved = person(
        "PID|1||4711||RIVER^ANA||||||||3035550101^^CP|||||||||||||||||||||||||||3035550102^^CP",
        {"phone_fields": ["PID-40"]},
    )
    assert [phone["number"] for phone in moved["phones"]] == ["+13035550102"]


def test_mail_and_fax_are_no_phones() -> None:
    told = phones(
        "ana@example.org^EMAIL", "^NET^Internet^ana@example.org", "3035550199^^FX", "ana@example.org", "3035550101"
    )
    assert [phone["number"] for phone in told] == ["+13035550101"]


def test_a_number_that_cannot_be_texted_stays_as_it_is_written() -> None:
    assert phones("12")[0]["written"] == "12"
    assert problems(adt("A08", "PID|1||4711||RIVER^ANA||||||||12")) == ["phone_unreadable"]
    assert phones("07400 123456^^CP", profile={"country": "GB"})[0]["number"] == "+447400123456"


def test_pid_14_is_the_phone_at_work() -> None:
    assert person("PID|1||4711||RIVER^ANA|||||||||3035550101")["phones"][0]["kind"] == "work"


@pytest.mark.parametrize("written", ["SPA", "es", "ES", "Spanish", "spa^Spanish^HL70296", "^Spanish"])
def test_a_language_is_read_as_feeds_write_it(written: str) -> None:
    assert person(f"PID|1||4711||RIVER^ANA||||||||||{written}")["language"] == "es"


def test_a_language_code_of_the_feed_s_own_is_in_its_profile() -> None:
    pid = "PID|1||4711||RIVER^ANA||||||||||1201"
    assert problems(adt("A08", pid)) == ["language_unknown"]
    assert person(pid, {"languages": {"1201": "spa"}})["language"] == "es"


@pytest.mark.parametrize(("written", "sex"), [("F", "female"), ("2", "female"), ("1", "male"), ("m", "male")])
def test_sex_may_be_a_number(written: str, sex: str) -> None:
    assert person(f"PID|1||4711||RIVER^ANA|||{written}")["sex"] == sex


@pytest.mark.parametrize("written", ["196203520", "10131113", "19801301", "45678"])
def test_an_impossible_birth_date_is_left_out_and_told(written: str) -> None:
    message = adt("A08", f"PID|1||4711||RIVER^ANA||{written}")
    assert "birth_date" not in act(message)["person"]
    assert problems(message) == ["birth_date_unreadable"]


def test_nobody_is_called_by_an_alias() -> None:
    assert person("PID|1||4711||ROSE^A^^^^^A~RIVER&VAN^ANA^^^^^L")["last_name"] == "RIVER"


# Death.


@pytest.mark.parametrize(("at", "says"), [("", "Y"), ("20260105", ""), ("202601051200-0700", '""'), ("20260105", "Y")])
def test_a_date_of_death_is_enough(at: str, says: str) -> None:
    acts = explained(adt("A08", PID + "|" * 14 + f"{at}|{says}"))["acts"]
    assert [told["act"] for told in acts] == ["patient.update", "patient.deceased"]
    assert acts[1]["on"] == ("2026-01-05" if at else None)


@pytest.mark.parametrize(("at", "says"), [("", ""), ("", "N"), ('""', "N"), ('""', "")])
def test_who_is_not_said_to_have_died_lives(at: str, says: str) -> None:
    assert act(adt("A08", PID + "|" * 14 + f"{at}|{says}"))["act"] == "patient.update"


def test_a_date_of_death_beside_a_no_is_for_a_person_to_ask() -> None:
    message = adt("A08", PID + "|" * 14 + "20260105|N")
    assert problems(message) == ["death_contradicts"]
    assert act(message)["act"] == "patient.update"


# Merges.


def merges(message: str) -> list[tuple[str, str]]:
    acts = explained(message)["acts"]
    return [(told["merged"]["identifier"], told["patient"]["identifier"]) for told in acts if "merged" in told]


@pytest.mark.parametrize("event", ["A34", "A40"])
@pytest.mark.parametrize("structure", ["^ADT_A39", "^ADT_A40", ""])
def test_a_merge_names_who_stays_and_who_goes(event: str, structure: str) -> None:
    message = adt(event, PID, "MRG|4712^^^ELM^MR").replace(f"ADT^{event}", f"ADT^{event}{structure}")
    assert merges(message) == [("4712", "4711")]
    assert problems(message) == []


def test_several_pairs_and_a_chain_are_told_in_their_order() -> None:
    chain = adt("A40", OTHER, "PD1||", "MRG|4713^^^ELM", PID, "MRG|4712^^^ELM")
    assert merges(chain) == [("4713", "4712"), ("4712", "4711")]


def test_the_record_that_goes_is_known_by_the_same_authority() -> None:
    pid = PID.replace("4711^^^ELM^MR", "77^^^^NHS~4711^^^ELM^MR")
    assert merges(adt("A40", pid, "MRG|88^^^^NHS~4712^^^ELM^MR")) == [("4712", "4711")]


def test_a_survivor_that_has_died_is_told_too() -> None:
    acts = explained(adt("A40", PID + "|" * 14 + "20191212|", "MRG|4712^^^ELM"))["acts"]
    assert [told["act"] for told in acts] == ["patient.merge", "patient.deceased"]
    assert acts[1]["patient"]["identifier"] == "4711"


def test_a_merge_without_authority_is_told() -> None:
    assert problems(adt("A40", "PID|1||4711||RIVER^ANA", "MRG|4712")) == ["merge_without_authority"]


@pytest.mark.parametrize(
    ("segments", "problem"),
    [
        ((PID,), "merge_incomplete"),
        ((PID, "MRG|"), "merge_incomplete"),
        (("PID|1||||RIVER^ANA", "MRG|4712"), "merge_incomplete"),
        (("MRG|4712",), "merge_incomplete"),
        ((PID, "MRG|4711^^^ELM"), "merge_with_itself"),
    ],
)
def test_a_merge_that_names_only_one_is_for_the_sender_to_mend(segments: tuple[str, ...], problem: str) -> None:
    message = adt("A40", *segments)
    assert (explained(message)["ack"], merges(message), problems(message)[0]) == ("AE", [], problem)


def test_a_pair_that_is_incomplete_does_not_keep_the_others() -> None:
    message = adt("A40", OTHER, PID, "MRG|4712^^^ELM")
    assert (merges(message), problems(message)) == ([("4712", "4711")], ["merge_incomplete"])
