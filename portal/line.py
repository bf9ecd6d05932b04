"""How the patient's own answers have moved, as a line and a table on their own page, in kind words and without a name
of what was asked."""

from collections.abc import Sequence
from datetime import date

from werkzeug.wrappers import Response

from caseload import own_line
from caseload.registry.progress import Point
from portal import words
from portal.pages import Here, inside, own

__all__ = ["line", "own"]
WIDTH, HEIGHT, EDGE = 320, 140, 10


@own.get("/line")
@inside(acting=False)
def line(here: Here) -> Response:
    """Show the line, if the clinic lets its patients see it and there is one."""
    moved = own_line.of_patient(here.session, here.clinic, here.patient.id)
    if moved is None:
        return here.page("line", 404, moved=None)
    rows = [(_day(point.on, here.language), point.total) for point in moved.points]
    return here.page("line", moved=moved, rows=rows, dots=_dots(moved.points, moved.highest), size=(WIDTH, HEIGHT))


def _dots(points: Sequence[Point], highest: int) -> list[tuple[float, float]]:
    """Where each total lies in the picture; a lower one lies lower."""
    first, whole = points[0].on, (points[-1].on - points[0].on).days or 1
    across, down = WIDTH - 2 * EDGE, HEIGHT - 2 * EDGE
    return [
        (
            round(EDGE + across * (point.on - first).days / whole, 1),
            round(HEIGHT - EDGE - down * point.total / highest, 1),
        )
        for point in points
    ]


def _day(on: date, language: str) -> str:
    own_words = words.texts(language)
    return str(own_words["line"]["day"]).format(month=own_words["months"][on.month - 1], day=on.day, year=on.year)
