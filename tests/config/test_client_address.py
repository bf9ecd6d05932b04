"""Whose address a request is counted by: never one that the client made up."""

import pytest

from config import client_address, runtime, settings

CLIENT, PROXY, INNER = "203.0.113.9", "10.0.0.1", "10.0.0.2"


def behind(proxies: int, forwarded_for: str = "", forwarded: str = "", remote: str = PROXY) -> str:
    return client_address.behind(proxies, remote, forwarded_for=forwarded_for, forwarded=forwarded)


@pytest.mark.parametrize("header", [CLIENT, f"1.2.3.4, {CLIENT}", "127.0.0.1", "::1"])
def test_without_proxies_no_header_is_believed(header: str) -> None:
    assert behind(0, forwarded_for=header, forwarded=f"for={header}") == PROXY


@pytest.mark.parametrize(
    ("proxies", "header", "source"),
    [
        (1, CLIENT, CLIENT),
        (1, f"6.6.6.6, {CLIENT}", CLIENT),
        (1, f"6.6.6.6,7.7.7.7,{CLIENT}", CLIENT),
        (2, f"{CLIENT}, {INNER}", CLIENT),
        (2, f"6.6.6.6, {CLIENT}, {INNER}", CLIENT),
        (2, CLIENT, CLIENT),  # it came by the inner one alone
        (3, f"6.6.6.6, {CLIENT}, {INNER}, {PROXY}", CLIENT),
        (1, f"{CLIENT}:51234", CLIENT),
        (1, " , ,", PROXY),
        (1, "", PROXY),
    ],
)
def test_as_many_entries_are_believed_as_there_are_proxies(proxies: int, header: str, source: str) -> None:
    assert behind(proxies, forwarded_for=header) == source


@pytest.mark.parametrize(
    "garbage", ["unknown", "_hidden", "127.1", "0300.0.2.1", "1.2.3.4.5", "<script>", "'", "\x00", "9" * 4000]
)
def test_garbage_is_passed_over_towards_us_and_never_away_from_us(garbage: str) -> None:
    assert behind(1, forwarded_for=f"6.6.6.6, {garbage}") == PROXY
    assert behind(2, forwarded_for=f"6.6.6.6, {garbage}, {INNER}") == INNER
    assert behind(1, forwarded=f"for=6.6.6.6, for={garbage}") == PROXY


@pytest.mark.parametrize(
    ("header", "source"),
    [
        (f"for={CLIENT}", CLIENT),
        (f"For={CLIENT};proto=https;by=10.0.0.1", CLIENT),
        (f'proto=https; for="{CLIENT}:4711"', CLIENT),
        (f"for=6.6.6.6, for={CLIENT}", CLIENT),
        ('for="[2001:db8:cafe:1::17]:4711"', "2001:db8:cafe:1::/64"),
        (f'for="6.6.6.6, for={CLIENT}', CLIENT),  # a quote that is never closed swallows nothing
        (f'for="a,b", for={CLIENT}', CLIENT),
        ("proto=https", PROXY),
        ("for=", PROXY),
    ],
)
def test_forwarded_is_read_as_rfc_7239_writes_it(header: str, source: str) -> None:
    assert behind(1, forwarded=header) == source


def test_of_two_headers_that_differ_neither_is_believed() -> None:
    assert behind(1, forwarded_for=CLIENT, forwarded="for=6.6.6.6") == PROXY
    assert behind(1, forwarded_for="6.6.6.6", forwarded=f"for={CLIENT}") == PROXY
    assert behind(1, forwarded_for=CLIENT, forwarded=f"for={CLIENT}") == CLIENT


@pytest.mark.parametrize(
    ("address", "source"),
    [
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::ffff", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::1]:443", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("::ffff:203.0.113.9", CLIENT),
        ("fe80::1%eth0", "fe80::/64"),
        ("", client_address.UNKNOWN),
        ("unix:", client_address.UNKNOWN),
    ],
)
def test_an_ipv6_address_stands_for_its_64(address: str, source: str) -> None:
    assert behind(0, remote=address) == source


def test_the_number_in_the_settings_counts(house: settings.Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    environ = {"REMOTE_ADDR": PROXY, "HTTP_X_FORWARDED_FOR": f"6.6.6.6, {CLIENT}"}
    assert client_address.source(environ) == PROXY
    monkeypatch.setattr(runtime, "_settings", house.model_copy(update={"trusted_proxies": 1}))
    assert client_address.source(environ) == CLIENT
