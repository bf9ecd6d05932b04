"""What the operator sets, read once from the environment, every mistake reported at once."""

import ipaddress
import os
import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from pydantic import ConfigDict, Field, SecretStr, ValidationError, ValidationInfo, field_validator

from config import addresses, asked_for, env_file, handed_down
from config.setting_parts import SettingParts

MASTER_KEY = re.compile(r"[^:,\s]+:[A-Za-z0-9+/]{43}=")
PREFIX = "WARMTHREAD_"
# Which file to read settings from besides the environment. Children of ours are told that there is none.
ENV_FILE = "WARMTHREAD_DOTENV"


class SettingsError(Exception):
    """One or more settings are wrong; `problems` names each of them in a sentence of its own."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class Settings(SettingParts):
    """The whole configuration of a process. Each field's alias is the environment variable's name."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    port: int = Field(8000, alias="PORT", ge=1, le=65535, description="port the web server listens on")
    bind: str = Field(
        "127.0.0.1",
        alias="WARMTHREAD_BIND",
        description="address the web server listens on; 0.0.0.0 or :: for every network",
    )
    trusted_proxies: int = Field(
        0,
        alias="WARMTHREAD_TRUSTED_PROXIES",
        ge=0,
        le=16,
        description="how many proxies in front of us write down whom they speak for; exact, or addresses are forged",
    )
    twilio_account_sid: str = Field(
        alias="TWILIO_ACCOUNT_SID", pattern=r"^AC[0-9a-f]{32}$", description="AC and 32 hexadecimal digits"
    )
    twilio_auth_token: SecretStr = Field(
        alias="TWILIO_AUTH_TOKEN", min_length=8, description="signs webhooks and authorises sending"
    )
    twilio_auth_token_secondary: SecretStr | None = Field(
        None,
        alias="TWILIO_AUTH_TOKEN_SECONDARY",
        description="also accepted on webhooks while a token is rotated",
    )
    twilio_api_key: str = Field(
        "",
        alias="TWILIO_API_KEY",
        pattern=r"^(SK[0-9a-f]{32})?$",
        description="asks the carrier in the token's place, SK and 32 hexadecimal digits; empty: the token does",
    )
    # Judged also where it is not said: its key needs it.
    twilio_api_key_secret: SecretStr | None = Field(
        None,
        alias="TWILIO_API_KEY_SECRET",
        validate_default=True,
        description="the secret of that key; demanded with it",
    )
    twilio_api_url: str = Field(
        "", alias="TWILIO_API_URL", description="another server that speaks Twilio's API; empty: Twilio itself"
    )
    public_url: str = Field(
        alias="WARMTHREAD_PUBLIC_URL",
        description="the address patients, staff and Twilio reach this service by",
    )
    master_keys: SecretStr | None = Field(
        None,
        alias="WARMTHREAD_MASTER_KEYS",
        description="id:base64 of 32 bytes, newest first, separated by commas; empty: made in the data directory",
    )
    backup_keys: SecretStr | None = Field(
        None,
        alias="WARMTHREAD_BACKUP_KEYS",
        description="what backups are sealed with, as the master keys are written and never one of them; newest first",
    )
    data_dir: Path = Field(
        Path("data"), alias="WARMTHREAD_DATA_DIR", description="where the embedded default keeps all"
    )
    settle_seconds: int = Field(
        120,
        alias="WARMTHREAD_SETTLE_SECONDS",
        ge=1,
        le=3600,
        description="seconds after which a text the carrier never answered for, and does not list, was not taken",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", alias="WARMTHREAD_LOG_LEVEL", description="debug, info, warning or error"
    )
    audit_heads_file: Path | None = Field(
        None, alias="WARMTHREAD_AUDIT_HEADS_FILE", description="file of signed audit heads; empty: in data directory"
    )
    audit_heads_command: str = Field(
        "", alias="WARMTHREAD_AUDIT_HEADS_COMMAND", description="command given each signed audit head on stdin"
    )
    scan_command: str = Field(
        "",
        alias="WARMTHREAD_SCAN_COMMAND",
        description="command that looks for malware in a file on stdin: exit code 0 none, 1 found; empty: nobody looks",
    )
    webhooks_to_loopback: bool = Field(
        False,
        alias="WARMTHREAD_WEBHOOKS_TO_LOOPBACK",
        description="whether events may be posted to programs on this machine, by http too; for demo and tests",
    )
    # The last field: its check reads the addresses above.
    demo_clock: int | None = Field(
        None,
        alias="WARMTHREAD_DEMO_CLOCK",
        description="set by `warmthread demo` alone: by how many seconds its clock is ahead; refused anywhere else",
    )

    @field_validator("bind")
    @classmethod
    def _an_address_of_this_machine(cls, value: str) -> str:
        try:
            return str(ipaddress.ip_address(value.strip("[]")))
        except ValueError:
            raise ValueError("must be an IP address of this machine, such as 127.0.0.1 or ::") from None

    @field_validator("master_keys", "backup_keys")
    @classmethod
    def _master_keys_look_right(cls, value: SecretStr | None) -> SecretStr | None:
        # Here only the form, so that it is named with the other mistakes; config.keys judges the keys themselves.
        entries = re.split(r"[,\n]", value.get_secret_value()) if value else []
        if value and not all(MASTER_KEY.fullmatch(entry.strip()) for entry in entries if entry.strip()):
            raise ValueError("must be id:base64 of 32 bytes, several separated by commas")
        return value

    @field_validator("public_url", "twilio_api_url")
    @classmethod
    def _address(cls, value: str) -> str:
        return addresses.web(value) if value else value

    @field_validator("public_url")
    @classmethod
    def _public_address_is_there(cls, value: str) -> str:
        if not value:
            raise ValueError("is demanded: webhooks are signed over it and links are made from it")
        return value

    @field_validator("twilio_api_key_secret")
    @classmethod
    def _key_and_secret_together(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if bool(value) != bool(info.data.get("twilio_api_key")):
            raise ValueError("is demanded with TWILIO_API_KEY, and of no use without it")
        return value

    @field_validator("demo_clock")
    @classmethod
    def _nothing_leaves_this_machine(cls, value: int | None, info: ValidationInfo) -> int | None:
        # A clock that is wrong, and a door without a password: never near a real carrier, nor within others' reach.
        web = [info.data.get(name) or "" for name in ("public_url", "twilio_api_url")]
        mail = info.data.get("smtp_url")
        here = all(address.startswith("http://") and addresses.is_here(address) for address in web)
        here = here and (mail is None or addresses.is_here(mail.get_secret_value()))
        bind = info.data.get("bind") or ""
        if value is not None and not (here and bind in ("127.0.0.1", "::1") and not info.data.get("trusted_proxies")):
            raise ValueError("is for the demonstration alone: all addresses must be on this machine, no proxy in front")
        return value

    @property
    def demo(self) -> bool:
        """Whether this is the demonstration, with made-up people and a simulated carrier."""
        return self.demo_clock is not None

    @property
    def clock_shift(self) -> timedelta:
        """How far the clock of this service is ahead of the machine's."""
        return timedelta(seconds=self.demo_clock or 0)

    @property
    def clock_file(self) -> Path | None:
        """Where faults on purpose say that the clock leaps; nowhere, outside the demonstration."""
        return self.data_dir / "demonstration.clock" if self.demo else None

    @property
    def staff_address(self) -> str:
        """The address by which staff reach this service."""
        return self.staff_url or self.public_url

    @property
    def secure(self) -> bool:
        """Whether people reach us by https, so that cookies may be marked Secure."""
        return self.public_url.startswith("https://")


def names() -> dict[str, str]:
    """Return each setting's environment name with its description, in the order of the documentation."""
    first, *rest = SettingParts.__bases__
    ordered = [
        name for part in (first, Settings, *rest) for name in part.__annotations__ if name in Settings.model_fields
    ]
    fields = [Settings.model_fields[name] for name in ordered]
    return {str(field.alias): field.description or "" for field in fields}


def load(environ: Mapping[str, str] | None = None, **overrides: str) -> Settings:
    """Read the settings; `overrides` are by environment name and win.

    Without an `environ` they are the process's own and, for what is not said there, those of the file .env here.
    Raises SettingsError with every problem found: unknown WARMTHREAD_ names, unreadable _FILE files, wrong values.
    """
    problems: list[str] = []
    environ = handed_down.merged(_with_file(os.environ, problems) if environ is None else environ, problems)
    values: dict[str, Any] = _from_environment(environ, problems) | overrides
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        problems += [_sentence(detail) for detail in error.errors(include_input=False, include_url=False)]
    if problems:
        raise SettingsError(sorted(problems))
    return settings


def _with_file(environ: Mapping[str, str], problems: list[str]) -> dict[str, str]:
    """Return `environ` with what the file says of settings that are not said there, neither directly nor as NAME_FILE.

    The file is .env where the process was started, or the one ENV_FILE names: an empty name means none.
    """
    named = environ.get(ENV_FILE, ".env")
    if not named or (ENV_FILE not in environ and not Path(named).is_file()):
        return dict(environ)
    try:
        values = env_file.read(Path(named))
    except env_file.BadFile as bad:
        problems += bad.problems
        return dict(environ)
    recognised = names()
    ours = {name: value for name, value in values.items() if named_by(name) in recognised or name.startswith(PREFIX)}
    said = {named_by(name) for name, value in environ.items() if value}
    return {name: value for name, value in ours.items() if named_by(name) not in said} | dict(environ)


def named_by(variable: str) -> str:
    """Return the name of the setting that an environment variable says: by itself, by a file, or by a command."""
    if variable in names():
        return variable
    return variable.removesuffix("_FILE").removesuffix(asked_for.SUFFIX)


def _from_environment(environ: Mapping[str, str], problems: list[str]) -> dict[str, str]:
    recognised = names()
    values: dict[str, str] = {}
    for name in recognised:
        ways = [way for way in (name, name + "_FILE", name + asked_for.SUFFIX) if environ.get(way)]
        if len(ways) > 1:
            problems.append(f"{' and '.join(ways)} are both set: keep one")
            values[name] = environ[name] if environ.get(name) else ""
        elif environ.get(name + "_FILE"):
            try:
                values[name] = Path(environ[name + "_FILE"]).read_text("utf-8").strip()
            except OSError as error:
                problems.append(f"{name}_FILE cannot be read: {error.strerror}")
            except UnicodeDecodeError:
                problems.append(f"{name}_FILE cannot be read: it is not a text in UTF-8")
        elif environ.get(name + asked_for.SUFFIX):
            values[name] = asked_for.answer(name, environ[name + asked_for.SUFFIX], problems)
        elif environ.get(name):
            values[name] = environ[name]
    strangers = [name for name in environ if name.startswith(PREFIX) and named_by(name) not in recognised]
    strangers = [name for name in strangers if name != ENV_FILE]
    problems += [f"{name} is not a setting of Warmthread: misspelt?" for name in strangers]
    return values


def _alias(name: str) -> str:
    """The environment's name of a field; a default that is judged goes by the field's own."""
    field = Settings.model_fields.get(name)
    return str(field.alias) if field else name


def _sentence(detail: Any) -> str:
    if not detail["loc"]:  # of several settings together, which the sentence names
        return str(detail["msg"]).removeprefix("Value error, ")
    name = _alias(str(detail["loc"][0]))
    if detail["type"] == "missing":
        return f"{name} is missing: {names().get(name, '')}"
    message = str(detail["msg"]).removeprefix("Value error, ")
    if message.startswith(("must", "is")):
        return f"{name} {message}"
    return f"{name} is wrong: {message} ({names().get(name, chr(0))})"
