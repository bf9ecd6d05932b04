"""Whether a file would do harm, asked of the operator's own scanner: a command that is given the file to read.

Its exit code says it, as `clamdscan -` does: 0 nothing was found, 1 something was. Anything else, or no answer within
ten seconds, is no answer: then the file is not kept, and a patient's is asked for again.
"""

import shlex
import subprocess

from config import logging, runtime

SECONDS = 10
CLEAN, HARMFUL = 0, 1


class NotClean(Exception):
    """The scanner found something, or (`unknown`) did not answer."""

    def __init__(self, *, unknown: bool = False) -> None:
        super().__init__("not scanned" if unknown else "harmful")
        self.unknown = unknown


def refuse_harm(content: bytes) -> None:
    """Raise NotClean unless the scanner finds nothing; without a scanner in the settings, do nothing.

    It may take as long as it takes: never call it where a transaction is open.
    """
    command = runtime.settings().scan_command
    if not command:
        return
    try:
        # No shell: the operator's own words, split as a shell would. What it prints may quote the file.
        asked = subprocess.run(
            shlex.split(command),
            input=content,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        logging.logger().error("the scanner of files does not answer", error_type=type(error).__name__)
        raise NotClean(unknown=True) from None
    if asked.returncode == HARMFUL:
        raise NotClean
    if asked.returncode != CLEAN:
        logging.logger().error("the scanner of files does not answer", code=asked.returncode)
        raise NotClean(unknown=True)
