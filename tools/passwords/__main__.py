"""Write web/account/common_passwords.hashes from lists of passwords, one a line: python -m tools.passwords FILE..."""

import sys
from pathlib import Path

from web.account import common_passwords


def main(lists: list[str]) -> None:
    """Write the sorted prefixes of every password that is long enough to be chosen at all."""
    lines = (line for name in lists for line in Path(name).read_text("utf-8", "replace").splitlines())
    long_enough = {common_passwords.prefix(line) for line in lines if len(line) >= common_passwords.SHORTEST}
    to = Path(common_passwords.__file__).with_name(common_passwords.FILE)
    to.write_bytes(b"".join(sorted(long_enough)))


main(sys.argv[1:])
