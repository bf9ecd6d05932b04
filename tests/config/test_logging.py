"""Logs carry ids and names of our own making; words, numbers and names of people never reach them."""

import json
import logging as stdlib_logging
from collections.abc import Iterator
from io import StringIO
from uuid import uuid4

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from config import logging

CANARIES = {
    "first_name": "Zenobia",
    "number": "+13035550142",
    "body": "I want to tell you something",
    "token": "dGhlIHRva2VuIG9mIGE",
}


@pytest.fixture
def lines(request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]) -> Iterator[object]:
    written = StringIO()
    root = stdlib_logging.getLogger()
    before, level = root.handlers, root.level
    logging.configure(getattr(request, "param", "debug"), "test")

    def lines() -> list[dict[str, object]]:
        written.write(capsys.readouterr().err)
        return [json.loads(line) for line in written.getvalue().splitlines()]

    yield lines
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    root.handlers, root.level = before, level


def test_what_we_say_ourselves_is_kept(lines):
    item = uuid4()
    logging.logger().info("lane drained", lane="timers", count=3, item_id=item, seconds=0.25)
    (line,) = lines()
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "lane drained",
        "level": "info",
        "component": "test",
        "lane": "timers",
        "count": 3,
        "item_id": str(item),
        "seconds": 0.25,
    }


def test_a_name_that_is_not_allowed_is_dropped_with_its_value(lines):
    logging.logger().info("patient texted", **CANARIES)
    assert set(lines()[0]) == {"event", "level", "timestamp", "component"}


@pytest.mark.parametrize("canary", CANARIES.values())
@pytest.mark.parametrize("name", ["message_id", "state", "where", "kind", "problem", "code", "lane"])
def test_a_canary_under_an_allowed_name_is_withheld(lines, name: str, canary: str):
    if canary in ("Zenobia", CANARIES["token"]):
        canary = f"{canary} Quill"  # one plain word could be a state of ours; a name with its family name could not
    logging.logger().info("something", **{name: canary})
    assert lines()[0][name] == "withheld"


def test_words_in_the_place_of_the_event_become_unnamed(lines):
    logging.logger().info("Zenobia wrote: I want to tell you something")
    assert lines()[0]["event"] == "unnamed"


def test_an_exception_is_told_by_its_type_and_place_not_by_its_message(lines):
    try:
        raise ValueError("Zenobia at +13035550142 said it")
    except ValueError as error:
        logging.logger().warning("batch failed", exc_info=error)
        logging.logger().exception("and again")
    for line in lines():
        assert line["error_type"] == "ValueError"
        assert "test_an_exception" in str(line["where"])
        assert "Zenobia" not in json.dumps(line)
        assert "0142" not in json.dumps(line)


def test_a_library_is_heard_but_not_quoted(lines):
    stdlib_logging.getLogger("twilio.http_client").warning("POST to=%s body=%s", "+13035550142", "hello Zenobia")
    (line,) = lines()
    assert line["event"] == "library"
    assert line["logger"] == "twilio.http_client"
    assert "Zenobia" not in json.dumps(line)
    assert "0142" not in json.dumps(line)


def test_a_library_s_exception_is_not_quoted_either(lines):
    try:
        raise KeyError("Zenobia")
    except KeyError:
        stdlib_logging.getLogger("sqlalchemy").exception("parameters: %s", ("Zenobia",))
    (line,) = lines()
    assert line["error_type"] == "KeyError"
    assert "Zenobia" not in json.dumps(line)


@pytest.mark.parametrize("lines", ["warning"], indirect=True)
def test_quieter_levels_are_not_written(lines):
    logging.logger().info("too quiet")
    logging.logger().warning("loud enough")
    assert [line["event"] for line in lines()] == ["loud enough"]


@pytest.mark.parametrize("written", ["303-555-0142", "1-303-555-0142", "303.555.0142", "+1.303.555.0142", "5550142"])
def test_a_telephone_number_is_known_however_it_is_written(lines, written: str):
    logging.logger().info("something", state=written)
    assert lines()[0]["state"] == "withheld"


@given(
    number=st.from_regex(r"\+?1?[2-9][0-9]{2}55501[0-9]{2}", fullmatch=True),
    name=st.sampled_from(sorted(logging.ALLOWED - {"event", "level", "timestamp"})),
)
def test_no_telephone_number_survives_under_any_name(number: str, name: str):
    kept = logging._allow(None, "info", {"event": "something", name: number})
    assert number.lstrip("+") not in json.dumps(kept)


@given(value=st.text(min_size=1, max_size=40), name=st.sampled_from(sorted(logging.ALLOWED)))
def test_what_survives_is_one_word_of_plain_characters(value: str, name: str):
    kept = logging._allow(None, "info", {"event": "something"} | {name: value})
    if name != "event":
        assert kept[name] == "withheld" or str(kept[name]).isascii()
        assert " " not in str(kept[name])


def test_what_a_supervisor_says_of_a_dead_process_is_whole(capsys: pytest.CaptureFixture[str]) -> None:
    logging.configure("info", "serve")
    logging.logger().info("process_ended", process="web", pid=7, exit_code=-9, restart_in=0.5)
    line = json.loads(capsys.readouterr().err)
    assert (line["exit_code"], line["restart_in"]) == (-9, 0.5)
