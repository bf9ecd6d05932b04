"""What every process of ours forbids itself as it begins: files that others can read, and leaving its memory on a disk.

Without it a crash would write names, words and keys into a core file, and a data directory that an administrator made
with `mkdir` would let every user of the machine read the database.
"""

import os
import resource
import stat
import sys
from contextlib import suppress
from pathlib import Path

PR_SET_DUMPABLE = 4
OTHERS = 0o077


def harden() -> None:
    """Let nobody else read what this process writes, and nobody dump or trace it (tracing: Linux only)."""
    os.umask(OTHERS)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    undumpable()


def undumpable() -> None:
    """Have the kernel refuse core files and tracing; a fork keeps it, another program must ask anew."""
    if sys.platform.startswith("linux"):
        import ctypes

        ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, *map(ctypes.c_ulong, (0, 0, 0, 0)))


def close_to_others(data_dir: Path) -> None:
    """Take away what others may do in the data directory and with the files in it, where they are ours."""
    if not data_dir.is_dir():
        return
    for path in (data_dir, *data_dir.iterdir()):
        with suppress(OSError):  # gone meanwhile, or another user's: a volume that its driver has prepared
            status = path.lstat()
            kept = stat.S_IMODE(status.st_mode)
            if status.st_uid == os.geteuid() and kept & OTHERS and not stat.S_ISLNK(status.st_mode):
                path.chmod(kept & ~OTHERS)
