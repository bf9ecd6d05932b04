"""How the simulator is told what to do, and what it refuses to do."""

import argparse
import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from simulator import numbers


class Refused(Exception):
    """Starting would mix the simulator with a live account or with the outside world (exit code 4)."""


@dataclass(frozen=True)
class Settings:
    """Everything a simulator needs; times in milliseconds, `keep` in messages."""

    account_sid: str
    auth_token: str = field(repr=False)
    sms_url: str
    api_key: str = ""
    api_key_secret: str = field(default="", repr=False)
    host: str = "127.0.0.1"
    port: int = 8010
    clinic_number: str = "+12015550100"
    status_delay_ms: int = 150
    advanced_opt_out: bool = False
    keep: int = 20_000
    clock_ahead_s: int = 0
    zone: str = "UTC"
    quiet: bool = False
    smtp_port: int = 0
    fallback_url: str = ""

    @property
    def base_url(self) -> str:
        """Where the simulator itself is reached."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"


def is_loopback(host: str | None) -> bool:
    """Whether a host name or address means this machine and nothing else."""
    if host is None:
        return False
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def points_here(url: str) -> bool:
    """Whether a URL is plain web and leads to this machine."""
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and is_loopback(parts.hostname)
    except ValueError:
        return False


def read(arguments: Sequence[str], environ: Mapping[str, str]) -> Settings:
    """Read the command line, then the environment, then the defaults.

    Raises SystemExit(2) on a usage error and Refused when a live account or a remote address is in play.
    """
    parser = _parser(environ)
    options = parser.parse_args(arguments)
    for name in ("account_sid", "auth_token", "sms_url"):
        if not getattr(options, name):
            parser.error(f"--{name.replace('_', '-')} is missing")
    if not is_loopback(options.host):
        parser.error(f"the simulator listens on this machine only, not on {options.host}")
    options.host = "127.0.0.1" if "localhost" in options.host else options.host.strip("[]")
    _refuse_the_outside(environ.get("TWILIO_API_URL", ""), options.sms_url)
    return Settings(**vars(options))


def _refuse_the_outside(api_url: str, sms_url: str) -> None:
    if api_url and not points_here(api_url):
        raise Refused("TWILIO_API_URL points at a live carrier; the simulator does not run beside a live account")
    if not points_here(sms_url):
        raise Refused("--sms-url leaves this machine; simulated texts are sent to this machine only")


def _parser(environ: Mapping[str, str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m simulator", description="A simulated phone network.")
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="loopback address to listen on")
    add("--port", type=_port, default=environ.get("SIMULATOR_PORT", "8010"), help="0 picks a free one")
    add("--account-sid", default=environ.get("TWILIO_ACCOUNT_SID"), help="better: TWILIO_ACCOUNT_SID")
    add("--auth-token", default=environ.get("TWILIO_AUTH_TOKEN"), help="better: TWILIO_AUTH_TOKEN")
    add("--api-key", default=environ.get("TWILIO_API_KEY", ""), help="lets in as well; better: TWILIO_API_KEY")
    add("--api-key-secret", default=environ.get("TWILIO_API_KEY_SECRET", ""), help="better: TWILIO_API_KEY_SECRET")
    add("--sms-url", default=environ.get("SIMULATOR_SMS_URL"), help="where texts from phones are posted")
    add("--fallback-url", default=environ.get("SIMULATOR_FALLBACK_URL", ""), help="only shown: nothing is posted there")
    add("--clinic-number", type=_number, default=environ.get("SIMULATOR_CLINIC_NUMBER", "+12015550100"))
    add("--status-delay-ms", type=_positive, default=environ.get("SIMULATOR_STATUS_DELAY_MS", "150"))
    add("--advanced-opt-out", action="store_true", help="add OptOutType to the webhook of a keyword")
    add("--clock-ahead-s", type=int, default=environ.get("SIMULATOR_CLOCK_AHEAD_S", "0"), help="seconds")
    add("--zone", type=_zone, default=environ.get("SIMULATOR_ZONE", "UTC"), help="the zone the pages show times in")
    add("--quiet", action="store_true", help="do not say where it listens")
    smtp_port = environ.get("SIMULATOR_SMTP_PORT", "0")
    add("--smtp-port", type=_port, default=smtp_port, help="takes mail there, for the page /mail; 0: takes none")
    add("--keep", type=_positive, default=20_000, help="how many messages are remembered")
    return parser


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65_535:
        raise argparse.ArgumentTypeError("a port is 0 to 65535")
    return port


def _positive(text: str) -> int:
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError("a negative value makes no sense here")
    return value


def _zone(text: str) -> str:
    try:
        return ZoneInfo(text).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise argparse.ArgumentTypeError(f"{text} is no time zone") from None


def _number(text: str) -> str:
    try:
        return numbers.normalise(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
