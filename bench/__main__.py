"""`make bench`: every measurement, as a ratio against a floor measured in the same run. Machines are noisy; ratios less.

python -m bench [inbound] [outbound] [alert] [forms]
"""

import sys
from collections.abc import Callable

from bench import alert, forms, inbound, outbound

MEASUREMENTS: dict[str, Callable[[], str]] = {
    "inbound": inbound.measure,
    "outbound": outbound.measure,
    "alert": alert.measure,
    "forms": forms.measure,
}


def main(wanted: list[str]) -> int:
    """Run the measurements named, all of them if none is; return the exit code."""
    unknown = [name for name in wanted if name not in MEASUREMENTS]
    if unknown:
        print(
            f"no measurement named {', '.join(unknown)}; there are: {', '.join(MEASUREMENTS)}",
            file=sys.stderr,
        )
        return 2
    for name in wanted or list(MEASUREMENTS):
        print(MEASUREMENTS[name](), flush=True)
    return 0


sys.exit(main(sys.argv[1:]))
