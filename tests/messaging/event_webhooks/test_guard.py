"""Nothing is posted inside: however an address is written, whatever a name resolves to, and whenever."""

import socket
from ipaddress import ip_address, ip_network

import pytest

from config import public_internet
from messaging.event_webhooks import guard

pytestmark = pytest.mark.usefixtures("house")
WRITTEN = """
127.0.0.1 127.1 127.0.1 0.0.0.0 0 2130706433 0x7f000001 0x7f.1 017700000001 0177.0.0.1 127.255.255.254
10.0.0.1 10.1 167772161 0xa000001 172.16.0.1 172.31.255.255 192.168.0.1 192.168.1 100.64.0.1 100.100.100.200
169.254.169.254 169.254.0.1 2852039166 0xa9fea9fe 0251.0376.0251.0376 168.63.129.16 192.0.0.192 198.18.0.1
224.0.0.1 239.1.1.1 240.0.0.1 255.255.255.255 192.0.2.1 198.51.100.1 203.0.113.1
[::] [::1] [::127.0.0.1] [::ffff:127.0.0.1] [::ffff:7f00:1] [::ffff:10.0.0.1] [::ffff:169.254.169.254]
[::ffff:a9fe:a9fe] [fe80::1] [fc00::1] [fd00:ec2::254] [fec0::1] [ff02::1] [2001:db8::1] [64:ff9b::a00:1]
[64:ff9b::7f00:1] [64:ff9b:1::1] [2002:a00:1::] [2002:7f00:1::] [2001:0:4136:e378:8000:63bf:f5ff:fffe] [100::1]
"""
INSIDE = WRITTEN.split()


@pytest.mark.parametrize("host", INSIDE)
def test_an_address_inside_is_refused_as_it_is_written(host: str) -> None:
    with pytest.raises(public_internet.Refused, match="inside"):
        guard.read(f"https://{host}/hook", loopback=False)


@pytest.mark.parametrize("host", INSIDE)
def test_a_name_that_leads_inside_is_refused(host: str) -> None:
    bare = host.strip("[]")
    address = bare if ":" in bare else socket.inet_ntoa(socket.inet_aton(bare))
    target = guard.read("https://hooks.clinic.example/hook", loopback=False)
    with pytest.raises(public_internet.Refused, match="inside"):
        guard.resolved(target, lambda _host, _port: [address], loopback=False)
    # One address outside does not make up for one inside.
    with pytest.raises(public_internet.Refused, match="inside"):
        guard.resolved(target, lambda _host, _port: ["93.184.215.14", address], loopback=False)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "localhost.", "redis.localhost", "127.0.0.1.", "10.1."])
def test_the_name_of_this_machine_is_refused_as_it_is_written(host: str) -> None:
    with pytest.raises(public_internet.Refused, match="inside"):
        guard.read(f"https://{host}/hook", loopback=False)
    assert guard.read(f"https://not{host.strip('.')}.example/", loopback=False).tls


@pytest.mark.parametrize("port", [22, 25, 80, 587, 1023])
def test_nobody_is_asked_at_the_port_of_another_protocol(port: int) -> None:
    with pytest.raises(public_internet.Refused, match="host"):
        guard.read(f"https://hooks.clinic.example:{port}/", loopback=False)
    for usual in (443, 1024, 8443):
        assert guard.read(f"https://hooks.clinic.example:{usual}/", loopback=False).port == usual
    own = [ip_network("10.0.0.0/8")]
    assert guard.read(f"https://ehr.clinic.example:{port}/", loopback=False, own=own).port == port


@pytest.mark.parametrize("address", ["93.184.215.14", "8.8.8.8", "1.1.1.1", "2606:4700::1111", "64:ff9b::808:808"])
def test_the_public_internet_is_open(address: str) -> None:
    public_internet.judge(ip_address(address), loopback=False)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://hooks.clinic.example/", "scheme"),
        ("ftp://hooks.clinic.example/", "scheme"),
        ("file:///etc/passwd", "scheme"),
        ("hooks.clinic.example", "scheme"),
        ("", "scheme"),
        ("https://user:pass@hooks.clinic.example/", "user"),
        ("https://127.0.0.1@hooks.clinic.example/", "user"),
        ("https:///path", "host"),
        ("https://[fe80::1%25eth0]/", "host"),
        ("https://hooks.clinic.example:0/", "host"),
        ("https://hooks.clinic.example:99999/", "form"),
        ("https://hooks.clinic.example/#part", "form"),
        ("https://hooks.clinic.example\\@127.0.0.1/", "form"),
        ("https://hooks.clinic.example/a b", "form"),
        ("https://hooks.clinic.example/\r\nHost: x", "form"),
        ("https://höoks.example/", "form"),
        ("https://hooks.clinic.example/" + "a" * 600, "form"),
    ],
)
def test_what_is_no_https_address_of_a_host_is_refused(url: str, why: str) -> None:
    with pytest.raises(public_internet.Refused) as refused:
        guard.read(url, loopback=False)
    assert refused.value.why in (why, "form")


def test_a_target_is_taken_apart() -> None:
    target = guard.read("https://hooks.clinic.example:8443/in?key=1", loopback=False)
    assert (target.tls, target.host, target.port, target.path) == (True, "hooks.clinic.example", 8443, "/in?key=1")
    assert target.host_header == "hooks.clinic.example:8443"
    assert guard.read("https://hooks.clinic.example", loopback=False).host_header == "hooks.clinic.example"


def test_this_machine_is_open_only_where_the_setting_says_so() -> None:
    assert guard.read("http://127.0.0.1:8010/x", loopback=True).port == 8010
    for url in ("http://127.0.0.1:8010/x", "http://localhost:8010/x", "http://10.0.0.1/x", "http://example.com/"):
        with pytest.raises(public_internet.Refused):
            guard.resolved(guard.read(url, loopback=False), public_internet.system, loopback=False)
    with pytest.raises(public_internet.Refused):
        guard.read("https://10.0.0.1/x", loopback=True)


@pytest.mark.parametrize("failing", [OSError(), UnicodeError()])
def test_a_name_nobody_knows_is_refused(failing: Exception) -> None:
    def resolve(_host: str, _port: int) -> list[str]:
        raise failing

    with pytest.raises(public_internet.Refused, match="resolve"):
        guard.resolved(guard.read("https://nowhere.example/", loopback=False), resolve, loopback=False)


@pytest.mark.parametrize(
    ("address", "good"),
    [
        ("10.1.2.3", True), ("10.1.0.0", True), ("10.2.0.1", False), ("127.0.0.1", False), ("169.254.169.254", False),
        ("fd00:1::5", True), ("fd00:2::5", False), ("::ffff:10.1.2.3", True), ("::ffff:10.2.0.1", False),
        ("8.8.8.8", True),
    ],
)  # fmt: skip
def test_of_networks_inside_only_the_operators_own_are_open(address: str, good: bool) -> None:
    own = [ip_network("10.1.0.0/16"), ip_network("fd00:1::/32")]
    if good:
        public_internet.judge(ip_address(address), loopback=False, own=own)
        return
    with pytest.raises(public_internet.Refused, match=r"^inside$"):
        public_internet.judge(ip_address(address), loopback=False, own=own)


def test_loopback_is_open_where_it_may_be_and_nothing_else_inside() -> None:
    for here in ("127.0.0.1", "::1", "::ffff:127.0.0.1"):
        public_internet.judge(ip_address(here), loopback=True)
    for inside in ("10.0.0.1", "169.254.169.254", "fd00::1", "::ffff:10.0.0.1"):
        with pytest.raises(public_internet.Refused):
            public_internet.judge(ip_address(inside), loopback=True)


def test_this_machines_resolver_says_each_address_once() -> None:
    found = public_internet.system("localhost", 443)
    assert set(found) <= {"127.0.0.1", "::1"}
    assert 0 < len(found) == len(set(found))


def test_a_name_is_asked_for_with_its_port_and_each_of_its_addresses_judged_once() -> None:
    asked: list[tuple[str, int]] = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append((host, port))
        return ["93.184.215.14", "2606:4700::1111%eth0", "93.184.215.14"]

    target = guard.read("https://hooks.clinic.example:8443/x", loopback=False)
    assert guard.resolved(target, resolve, loopback=False) == ["93.184.215.14", "2606:4700::1111%eth0"]
    assert asked == [("hooks.clinic.example", 8443)]
    for found, why in (([], "resolve"), (["fe80::1%eth0"], "inside"), (["10.1.2.3"], "inside")):
        with pytest.raises(public_internet.Refused, match=rf"^{why}$"):
            guard.resolved(target, lambda _host, _port, found=found: found, loopback=False)
    own = [ip_network("10.1.0.0/16")]
    assert guard.resolved(target, lambda _host, _port: ["10.1.2.3"], loopback=False, own=own) == ["10.1.2.3"]
    assert guard.resolved(target, lambda _host, _port: ["127.0.0.1"], loopback=True) == ["127.0.0.1"]
