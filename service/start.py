"""How every process of ours begins: settings, logs, and where the embedded Valkey listens."""

import errno
import gc
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from config import addresses, keys, logging, queue, runtime, settings
from service import database_roles, hardening, key_check, tables
from service.embedded import valkey

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
    if loaded.embedded_database or loaded.embedded_queue or not loaded.master_keys:
        _open_folder(loaded.data_dir)
    runtime.configure(loaded)
    key_check.refuse_lost_keys()
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
    stays shared with the worker. Of what is made later it looks for circles once in twenty thousand things, not seven
    hundred: a page of a thousand rows was gone through twenty-five times.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000)


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


def _open_folder(folder: Path) -> None:
    """Make the data directory where there is none, and see that files can be made in it: raises SettingsError."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        if error.errno != errno.ENOSPC:  # a full disk is said by whoever needs room
            raise settings.SettingsError(
                [
                    f"WARMTHREAD_DATA_DIR cannot be used: {error.strerror}. Name a folder in which the user who runs"
                    " this may make files"
                ]
            ) from None


def _open_keys() -> None:
    """Read the master keys now, not at the first patient: raises SettingsError."""
    try:
        keys.ring()
    except keys.BadMasterKeys as error:
        raise settings.SettingsError([f"WARMTHREAD_MASTER_KEYS: {error}"]) from None
    except OSError as error:
        raise settings.SettingsError([f"{keys.FILE} in WARMTHREAD_DATA_DIR cannot be read: {error.strerror}"]) from None
