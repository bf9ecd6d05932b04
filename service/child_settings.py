"""What a process of ours is told of the settings by whoever starts it: what it has a use for, and no secret openly."""

import os
import sys

from pydantic import SecretStr

from config import addresses, settings
from config import handed_down as secrets

# Settings that hold a secret, or an address that may hold a password.
SECRET = (
    "DATABASE_URL",
    "WARMTHREAD_REPORTS_DATABASE_URL",
    "REDIS_URL",
    "TWILIO_AUTH_TOKEN",
    "TWILIO_AUTH_TOKEN_SECONDARY",
    "TWILIO_API_KEY_SECRET",
    "WARMTHREAD_MASTER_KEYS",
    "WARMTHREAD_SMTP_URL",
    "WARMTHREAD_SELF_CHECK_URL",
)
# Stands where a token is demanded and the process has no use for it.
WITHHELD = SecretStr("withheld from this process")


def needed_by(process: str, loaded: settings.Settings) -> settings.Settings:
    """Return the settings with the secrets that a process ("web", "mllp", "worker.urgent", "ticker") has a use for.

    Doors judge the carrier's signatures and ask nobody outside; workers and the ticker ask, and judge no signature;
    what prepares the database does neither.
    """
    asks = process == "ticker" or process.startswith("worker.")
    withheld: dict[str, object] = {}
    if not asks and loaded.smtp_url is not None:
        withheld["smtp_url"] = SecretStr(addresses.without_user(loaded.smtp_url.get_secret_value()))
    if not asks:
        withheld |= dict.fromkeys(("twilio_api_key", "twilio_api_key_secret", "self_check_url"))
    if process != "web" and (not asks or loaded.twilio_api_key):
        withheld |= {"twilio_auth_token": WITHHELD, "twilio_auth_token_secondary": None}
    return loaded.model_copy(update=withheld)


def handed_down(loaded: settings.Settings, redis_url: str) -> tuple[dict[str, str], tuple[int, ...]]:
    """Return the environment of a child of the supervisor, and the open files it is to keep.

    What is secret is in such a file and not in the environment, where the web server forks its own processes (Linux).
    """
    whole = environment(loaded, redis_url)
    if not sys.platform.startswith("linux"):
        return whole, ()
    secret = {name: whole.pop(name) for name in SECRET if name in whole}
    descriptor = secrets.write(secret)
    return whole | {secrets.NAME: str(descriptor)}, (descriptor,)


def environment(loaded: settings.Settings, redis_url: str) -> dict[str, str]:
    """Return the environment of a child process that runs with the same settings and the given Redis.

    No process of the service needs what backups are sealed with.
    """
    # Neither an operator's files of secrets nor a misspelt name: the child gets exactly what was loaded here.
    ours = settings.names()
    keep = {
        name: value
        for name, value in os.environ.items()
        if settings.named_by(name) not in ours and not name.startswith("WARMTHREAD_")
    }
    values = {name: _plain(getattr(loaded, field)) for field, name in _fields()}
    set_ = {name: value for name, value in values.items() if value and name != "WARMTHREAD_BACKUP_KEYS"}
    return {**keep, **set_, "REDIS_URL": redis_url, settings.ENV_FILE: ""}


def _fields() -> list[tuple[str, str]]:
    return [(field, str(info.alias)) for field, info in settings.Settings.model_fields.items()]


def _plain(value: object) -> str:
    if value is None:
        return ""
    secret = getattr(value, "get_secret_value", None)
    return str(secret() if secret else value)
