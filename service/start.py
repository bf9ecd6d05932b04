"""How every process of ours begins: settings, logs, and where the embedded Valkey listens."""

import gc
import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr

from config import addresses, keys, logging, queue, runtime, settings
from config import handed_down as secrets
from service import database_roles, hardening, key_check, tables
from service.embedded import valkey

# Settings that hold a secret, or an address that may hold a password.
SECRET = (
    "DATABASE_URL",
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
# Imported for its tables alone.
TABLES = tables.METADATA


def every_lane() -> tuple[queue.Lane, ...]:
    """Return the lanes of all rooms; what they bring along is not for a command that rings nothing."""
    from service import lanes

    return lanes.ALL


def begin(component: str, **overrides: str) -> settings.Settings:
    """Load the settings (`overrides` by environment name win) and make them this process's own.

    Raises settings.SettingsError with every mistake.
    """
    loaded = settings.load(None, **overrides)
    hardening.close_to_others(loaded.data_dir)
    use(loaded, component)
    if component != "cli":
        key_check.refuse_wrong_keys()
        database_roles.refuse_owner()
    return loaded


def use(loaded: settings.Settings, component: str) -> None:
    """Make `loaded` the settings of this process."""
    refuse_what_cannot_work(loaded)
    runtime.configure(loaded)
    _open_keys()
    queue.use_lanes(every_lane)
    logging.configure(loaded.log_level, component)
    if loaded.embedded_queue:
        socket = valkey.socket_path(loaded.data_dir)
        runtime.once("queue.embedded_url", lambda: f"unix://{socket}")


def settled() -> None:
    """Say that what this process has loaded stays as long as it lives: the garbage collector looks at it no more.

    Called once by whatever runs on, when all is loaded. Walking through every module again and again took a seventh of
    the time of planning and up to a tenth of a second of a page at random; and what a worker's horse does not touch
    stays shared with the worker.
    """
    gc.collect()
    gc.freeze()


def refuse_what_cannot_work(loaded: settings.Settings) -> None:
    """Raise SettingsError for combinations in which work would be lost or a live account mixed with a simulation."""
    problems = []
    by_network = loaded.redis_url.startswith(("redis://", "rediss://"))
    if loaded.embedded_database and by_network and not addresses.is_here(loaded.redis_url):
        problems.append(
            "DATABASE_URL is needed with a REDIS_URL on another machine: SQLite serves the processes of one machine"
        )
    if loaded.staff_url and not _kept_apart(loaded.staff_url, loaded.public_url):
        problems.append(
            "WARMTHREAD_STAFF_URL must have another host name than WARMTHREAD_PUBLIC_URL (cookies do not tell ports"
            " apart), and be https where that is"
        )
    if loaded.demo and not _made_by_the_demo(loaded):
        problems.append("WARMTHREAD_DEMO_CLOCK is set by `warmthread demo` alone, in a folder of its own: leave it out")
    if problems:
        raise settings.SettingsError(problems)


def _kept_apart(staff_url: str, public_url: str) -> bool:
    """Whether browsers keep the pages of two addresses apart, their cookies too."""
    staff, public = urlsplit(staff_url), urlsplit(public_url)
    return staff.hostname != public.hostname and staff.scheme == public.scheme


def demo_mark(loaded: settings.Settings) -> Path:
    """Return the file by which a data directory says that the demonstration has made it, for its account alone."""
    return loaded.data_dir / "demonstration"


def _made_by_the_demo(loaded: settings.Settings) -> bool:
    mark = demo_mark(loaded)
    return mark.is_file() and mark.read_text("utf-8") == loaded.twilio_account_sid


def _open_keys() -> None:
    """Read the master keys now, not at the first patient: raises SettingsError."""
    try:
        keys.ring()
    except keys.BadMasterKeys as error:
        raise settings.SettingsError([f"WARMTHREAD_MASTER_KEYS: {error}"]) from None
    except OSError as error:
        raise settings.SettingsError(
            [f"WARMTHREAD_DATA_DIR cannot be used for the master keys: {error.strerror}"]
        ) from None


def needed_by(process: str, loaded: settings.Settings) -> settings.Settings:
    """Return the settings with the secrets that a process ("web", "mllp", "worker.urgent", "ticker") has a use for.

    Doors judge the carrier's signatures and ask nobody outside; workers and the ticker ask, and judge no signature.
    """
    door = process in ("web", "mllp")
    withheld: dict[str, object] = {}
    if door and loaded.smtp_url is not None:
        withheld["smtp_url"] = SecretStr(addresses.without_user(loaded.smtp_url.get_secret_value()))
    if door:
        withheld |= dict.fromkeys(("twilio_api_key", "twilio_api_key_secret", "self_check_url"))
    if (process == "mllp") or (not door and loaded.twilio_api_key):
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
