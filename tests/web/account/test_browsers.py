"""Browsers by their names: what a person would call them."""

import pytest

from web.account import browsers

CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36"


@pytest.mark.parametrize(
    ("said", "name"),
    [
        (CHROME, "Chrome/Windows"),
        (CHROME + " Edg/140.0", "Edge/Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile Safari/604.1", "Safari/iPhone"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox/Linux"),
        ("Mozilla/5.0 (Linux; Android 15) Chrome/140.0 Mobile Safari/537.36", "Chrome/Android"),
        ("curl/8", None),
        ("", None),
        (None, None),
    ],
)
def test_a_browser_is_named_by_program_and_system(said: str | None, name: str | None) -> None:
    assert browsers.name(said) == name
