"""A signed form can be cut in one way only."""

import base64
import hashlib
import hmac
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webhooks import fields, signatures

ACCOUNT = "AC" + "0" * 32
READ = ("MessageSid", "From", "To", "Body", "OptOutType")
FORM = {
    "AccountSid": ACCOUNT,
    "ApiVersion": "2010-04-01",
    "From": "+13035550101",
    "FromCity": "DENVER",
    "MediaContentType0": "image/png",
    "MediaUrl0": "https://api.example/2010-04-01/Accounts/AC1/Messages/MM1/Media/ME1",
    "MessageSid": "SM" + "a1" * 16,
    "NumMedia": "1",
    "NumSegments": "1",
    "OptOutType": "STOP",
    "SmsMessageSid": "SM" + "a1" * 16,
    "To": "+13035550100",
    "ToCity": "",
}
# Words that look like names of fields, and that sort where a name could stand.
BAITS = (
    "Dear friend", "Call me", "From", "From+13035550102", "FromCity", "Body", "Bodyx", "MessageSidSM" + "b" * 32,
    "To+13035550100", "OutType", "B", "ody", "NumMedia0", "Zebra", "AccountSid" + ACCOUNT,
    "y", "1", "C", "E", "=", "&",
)  # fmt: skip
TEXTS = st.lists(st.sampled_from(BAITS) | st.text(st.characters(codec="utf-8"), max_size=5), max_size=5).map("".join)


def _told(form: dict[str, str]) -> str:
    return "".join(f"{name}{form[name]}" for name in sorted(form, key=str.encode))


def _understood(form: dict[str, str]) -> tuple[object, ...] | None:
    try:
        read = fields.sms(form, ACCOUNT)
    except fields.BadFields:
        return None
    # Which of the words were Body may be said in two ways; that none is lost, in one only.
    whole = read | {"Body": read.get(fields.JOINED, read["Body"])}
    return (*(whole.get(name) for name in READ), list(fields.media(read)))


@st.composite
def _cuts(draw: st.DrawFn) -> tuple[dict[str, str], dict[str, str]]:
    """A form, and another one with the same signature: the same letters cut elsewhere into sorted names and values."""
    form = FORM | {"Body": draw(TEXTS), "Aux": draw(TEXTS), "Extra": draw(TEXTS)}
    form = {name: form[name] for name in form if name not in ("Aux", "Extra") or draw(st.booleans())}
    told = _told(form)
    edges = sorted({told.find(name, 0) for name in form} - {-1})
    for bait in BAITS:
        if draw(st.booleans()) and told.find(bait) > 0:
            edges.append(told.rfind(bait) if draw(st.booleans()) else told.find(bait))
    kept = sorted({edge for edge in edges if edge == 0 or draw(st.integers(0, 5))})
    pieces = [told[a:b] for a, b in zip(kept, [*kept[1:], len(told)], strict=True)]
    other: dict[str, str] = {}
    for piece in pieces:
        known = [name for name in (*form, "From", "To", "Body") if piece.startswith(name)]
        length = (
            len(max(known, key=len)) if known and draw(st.integers(0, 3)) else draw(st.integers(1, len(piece) or 1))
        )
        other[piece[:length]] = piece[length:]
    return form, other


@settings(max_examples=200, deadline=None)
@given(_cuts())
def test_another_cut_with_the_same_signature_says_the_same_or_is_refused(
    forms: tuple[dict[str, str], dict[str, str]],
) -> None:
    form, other = forms
    if _told(other) != _told(form):
        return  # another signature
    first, second = _understood(form), _understood(other)
    assert first is None or second is None or first == second


@settings(max_examples=100, deadline=None)
@given(TEXTS)
def test_every_cut_of_the_words_into_one_more_field_is_refused_or_says_the_same(body: str) -> None:
    form = FORM | {"Body": body}
    first = _understood(form)
    assert first is not None
    assert first[3] == body
    for start, end in combinations(range(len(body) + 1), 2):
        other = FORM | {"Body": body[:start], body[start:end]: body[end:]}
        if len(other) == len(form) + 1 and _told(other) == _told(form):
            assert _understood(other) in (None, first)


def test_the_end_of_a_text_cannot_be_cut_off_as_a_parameter() -> None:
    whole, cut = FORM | {"Body": "Hi Dear I want to die"}, FORM | {"Body": "Hi ", "Dear I want to die": ""}
    assert _told(whole) == _told(cut)
    assert _understood(whole) == _understood(cut)


def test_a_number_written_in_a_text_does_not_become_its_sender() -> None:
    body = "call From+13035550102Greetings"
    cut = {name: value for name, value in FORM.items() if name not in ("From", "FromCity")}
    cut |= {"Body": "call ", "From": "+13035550102", "Greetings": "From+13035550101FromCityDENVER"}
    assert _told(cut) == _told(FORM | {"Body": body})
    assert _understood(cut) is None


@pytest.mark.parametrize(
    ("raw", "parsed"),
    [
        (b"", []),
        (b"a=1&b=", [(b"a", b"1"), (b"b", b"")]),
        (b"a=1+2%2B&&c", [(b"a", b"1 2+"), (b"c", b"")]),
        (b"a=b=c&%41=%zz", [(b"a", b"b=c"), (b"A", b"%zz")]),
    ],
)
def test_a_form_is_read_with_its_blank_fields(raw: bytes, parsed: list[tuple[bytes, bytes]]) -> None:
    assert fields.parse(raw) == parsed


def test_no_field_hides_across_the_edge_of_two_others() -> None:
    cut = {name: value for name, value in FORM.items() if name != "OptOutType"}
    cut |= {"Body": "", "NumSegments": "1Opt", "OutType": "STOP"}
    assert _told(cut) == _told(FORM | {"Body": ""})
    assert _understood(cut) is None


def test_more_than_a_hundred_fields_are_refused() -> None:
    assert len(fields.parse(b"&".join(b"a%d=" % n for n in range(100)))) == 100
    with pytest.raises(fields.BadFields):
        fields.parse(b"&".join(b"a%d=" % n for n in range(101)))


def test_twilios_published_example_is_signed() -> None:
    form = {"CallSid": "CA1234567890ABCDE", "Digits": "1234", "From": "+14158675309", "To": "+18005551212",
            "Caller": "+14158675309"}  # fmt: skip
    parameters = [(name.encode(), value.encode()) for name, value in form.items()]
    for url in (
        "https://mycompany.com/myapp.php?foo=1&bar=2",
        "https://mycompany.com:443/myapp.php?foo=1&bar=2",
    ):
        assert signatures.by_twilio(url, parameters, "RSOYDt4T1cUTdK1PDd93/VVr8B8=", ["other", "12345"])
        assert not signatures.by_twilio(url, parameters, "RSOYDt4T1cUTdK1PDd93/VVr8B8=", ["other"])
    assert not signatures.by_twilio("https://mycompany.com/", parameters, "RSOYDt4T1cUTdK1PDd93/VVr8B8=", ["12345"])


def test_only_the_address_itself_gets_or_loses_its_port() -> None:
    signed = "https://mycompany.com/sms?back=https://mycompany.com"
    mac = hmac.new(b"12345", f"{signed}Body\N{LATIN SMALL LETTER U WITH DIAERESIS}".encode("latin-1"), hashlib.sha1)
    signature, body = base64.b64encode(mac.digest()).decode(), [(b"Body", b"\xfc")]
    for url in (signed, signed.replace("mycompany.com/", "mycompany.com:443/")):
        assert signatures.by_twilio(url, body, signature, ["12345"])
    for url in (signed + ":443", signed.replace(".com", ".com:443")):
        assert not signatures.by_twilio(url, body, signature, ["12345"])


def test_a_signature_that_is_no_text_is_none() -> None:
    assert not signatures.by_twilio("https://mycompany.com/\udcfc", [], "\udcfc", ["12345"])
    assert not signatures.by_standard("whsec_MTIz", "m\udcfc", "100", b"", "v1,\udcfc", 100)


@pytest.mark.parametrize(("late", "good"), [(0, True), (300, True), (-300, True), (301, False), (-301, False)])
def test_a_standard_signature_is_good_for_five_minutes_either_way(late: int, good: bool) -> None:
    mac = hmac.new(b"123", b"m1.1000000.body", hashlib.sha256)
    signature = "v1," + base64.b64encode(mac.digest()).decode()
    assert signatures.by_standard("whsec_MTIz", "m1", "1000000", b"body", f"v1,x {signature}", 1000000 + late) == good
    for secret in ("whsec_", "whsec_A", ""):
        assert not signatures.by_standard(secret, "m1", "1000000", b"body", signature, 1000000)
    assert not signatures.by_standard("whsec_MTIz", "m1", "1000000 ", b"body", signature, 1000000)
