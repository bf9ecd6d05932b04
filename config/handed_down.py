"""Secrets on their way to a child of ours: by a file without a name that only the child has open, never by a variable,
which every program of the same user and every child of the child can read.
"""

import json
import os
from collections.abc import Mapping

# Says which open file holds them. No setting: only the supervisor says it, to its own children.
NAME = "WARMTHREAD_SECRETS_FD"


def write(values: Mapping[str, str]) -> int:
    """Return the descriptor of a file that holds these values, read as often as a child is started. Linux only."""
    descriptor = os.memfd_create("warmthread", os.MFD_CLOEXEC)
    os.write(descriptor, json.dumps(dict(values)).encode())
    return descriptor


def merged(environ: Mapping[str, str], problems: list[str]) -> Mapping[str, str]:
    """Return `environ` with what was handed down to this process; what cannot be read is a sentence of `problems`."""
    if NAME not in environ:
        return environ
    said = {name: value for name, value in environ.items() if name != NAME}
    try:
        descriptor = int(environ[NAME])
        values: dict[str, str] = json.loads(os.pread(descriptor, os.fstat(descriptor).st_size, 0))
    except (OSError, ValueError):
        problems.append(f"{NAME} cannot be read: only the supervisor of `warmthread serve` sets it")
        return said
    return said | values
