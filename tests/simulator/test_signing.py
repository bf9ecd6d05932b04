"""The signature is Twilio's: checked by the SDK's own validator."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from simulator import signing

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


def test_signs_the_published_example() -> None:
    params = [
        ("CallSid", "CA1234567890ABCDE"),
        ("Digits", "1234"),
        ("From", "+14158675309"),
        ("To", "+18005551212"),
    ]
    params.append(("Caller", "+14158675309"))
    assert (
        signing.sign("12345", "https://mycompany.com/myapp.php?foo=1&bar=2", params) == "RSOYDt4T1cUTdK1PDd93/VVr8B8="
    )


@pytest.mark.parametrize("fragment", ["", "#rc=2&rp=5xx", "#"])
def test_leaves_the_fragment_out(fragment: str) -> None:
    bare = signing.sign("t", "http://127.0.0.1:8000/a?b=c", [])
    assert signing.sign("t", "http://127.0.0.1:8000/a?b=c" + fragment, []) == bare


@given(st.dictionaries(words.filter(bool), words))
def test_the_sdk_accepts_every_signature(params: dict[str, str]) -> None:
    url = "http://127.0.0.1:8000/webhooks/twilio/sms?x=%20y"
    assert RequestValidator("t").validate(url, params, signing.sign("t", url, params.items()))
