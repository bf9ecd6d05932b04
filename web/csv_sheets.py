"""A table that somebody takes away as a CSV file: no cell of it is worked out by the spreadsheet that opens it."""

import csv
import io
from collections.abc import Iterable

from flask import Response

from reminders.imports import csv_files


def answer(name: str, head: Iterable[str], rows: Iterable[Iterable[object]]) -> Response:
    """Return `rows` beneath the words of `head` as a file to keep under `name`; None is an empty cell."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(head)
    writer.writerows([csv_files.as_text("" if cell is None else str(cell)) for cell in row] for row in rows)
    named = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(out.getvalue(), mimetype="text/csv", headers=named)
