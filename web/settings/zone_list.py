"""The time zones that can be chosen, by country, those of the United States first: what a field offers as one types."""

from functools import cache
from importlib import resources

FIRST = "United States"
# The territories are countries of their own in the list; their clinics look among ours.
OURS = {"US": FIRST, "PR": FIRST, "GU": FIRST, "VI": FIRST, "AS": FIRST, "MP": FIRST}


@cache
def every() -> list[tuple[str, str]]:
    """Return each zone by its IANA name and as people look for it: ("America/Denver", "United States, Denver")."""
    zones: dict[str, str] = {}
    countries = {code: OURS.get(code, name) for code, name in _rows("iso3166.tab")}
    for code, _place, zone, *_said in _rows("zone.tab"):
        zones.setdefault(zone, countries.get(code, code))
    ordered = sorted(zones.items(), key=lambda pair: (pair[1] != FIRST, pair[1], pair[0]))
    return [(zone, f"{country}, {_city(zone)}") for zone, country in ordered]


def _city(zone: str) -> str:
    return zone.partition("/")[2].replace("_", " ").replace("/", ", ")


def _rows(table: str) -> list[list[str]]:
    text = (resources.files("tzdata") / "zoneinfo" / table).read_text("utf-8")
    return [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]
