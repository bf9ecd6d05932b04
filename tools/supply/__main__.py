"""python -m tools.supply sbom FILE | licences | audit"""

import sys
from pathlib import Path

from tools.supply import auditing, bom, licences, locked


def main(words: list[str]) -> int:
    """Do what the first word says; return the exit code."""
    match words:
        case ["sbom", file]:
            try:
                Path(file).write_text(bom.to_json(bom.make()), "utf-8")
            except ValueError as wrong:
                sys.stderr.write(f"{wrong}\n")
                return 1
            sys.stdout.write(f"{file}: {len(locked.read())} packages\n")
        case ["licences"]:
            sys.stdout.write(licences.table(locked.read()) + "\n")
        case ["audit"]:
            holes, said = auditing.ask()
            sys.stderr.write("".join(f"{line}\n" for line in (*holes, said)))
            return 1 if holes else 0
        case _:
            sys.stderr.write(f"{__doc__}\n")
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
