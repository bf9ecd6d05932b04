"""Files of patients and visits: handed in, columns told apart, imported with a bar; what was wrong comes back."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from flask import Response, abort, redirect, request, stream_with_context, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.http import parse_cookie
from werkzeug.wrappers import Response as AnyResponse

from caseload import registry_import
from config import audit, clock, db
from reminders import care_model
from reminders.imports import checking, column_mapping, completeness, csv_files, runs
from reminders.imports import take_in as importfiles
from reminders.imports.models import ImportRun
from web import layout, permissions, sessions, times, words
from web.settings import import_pages

importing = layout.room("importing", __name__)
LARGEST = 50 * 1024 * 1024
SOURCE = "file"
# The act that each kind of file takes; it has scores and whom they are of, so that a registry is not the front desk's.
WHO = {**dict.fromkeys(column_mapping.KINDS, "patients.import"), registry_import.NAME: "caseload.import"}


@importing.url_value_preprocessor
def _let_large_files_in(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    # Before anything reads the form, and only for somebody who is signed in: others stay at the usual limit.
    if endpoint == "importing.take_in" and sessions.current_staff(seen=False) is not None:
        request.max_content_length = LARGEST


@importing.get("/settings/import")
@permissions.signed_in("files.import")
def show() -> str:
    """Show the door for files, and the last ones that came through it."""
    return _door(None)


@importing.post("/settings/import")
@permissions.signed_in("files.import")
def take_in() -> AnyResponse | tuple[str, int]:
    """Keep a file and go on to its columns; one that is no table is refused with the reason, and nothing is kept."""
    kind, source = request.form.get("kind", ""), request.form.get("source", "").strip()[:40] or SOURCE
    upload = request.files.get("file")
    if kind not in _kinds():
        return _door(words.say("importing", "no_kind")), 422
    if upload is None or not upload.filename:
        return _door(words.say("importing", "no_file")), 422
    try:
        with _on_disk(upload) as path, csv_files.opened(path, ()) as table:
            run = importfiles.take_in(sessions.clinic(), kind, source, table, by=layout.the_actor())
    except csv_files.BadFile as wrong:
        return _door(words.say("importing", "bad_file", why=str(wrong))), 422
    if run.rows == 0:
        with db.unit_of_work(sessions.clinic().id) as session:
            runs.stop(session, session.merge(run), by=layout.the_actor())
        return _door(words.say("importing", "no_rows")), 422
    return redirect(url_for("importing.run", run_id=run.id), 303)


@importing.get("/settings/import/<uuid:run_id>")
@permissions.signed_in("files.import")
def run(run_id: UUID) -> str:
    """Show one file: its columns to tell apart, then its bar, then what came of it."""
    with db.unit_of_work(sessions.clinic().id, read_only=True) as session:
        return _page(session, _the_run(session, run_id))


@importing.post("/settings/import/<uuid:run_id>")
@permissions.signed_in("files.import")
def check(run_id: UUID) -> AnyResponse | tuple[str, int]:
    """Show the first rows with other columns, or look at every row with them."""
    with db.unit_of_work(sessions.clinic().id) as session:
        import_run = _the_run(session, run_id, lock=True)
        columns = import_pages.chosen(import_run, request.form)
        if "check" not in request.form or import_run.state != "mapping":
            return _page(session, import_run, columns), 200
        if column_mapping.missing(import_run.kind, columns):
            return _page(session, import_run, columns, refused=True), 422
        checking.start(session, import_run, columns)
    return redirect(url_for("importing.run", run_id=run_id), 303)


@importing.post("/settings/import/<uuid:run_id>/columns")
@permissions.signed_in("files.import")
def columns(run_id: UUID) -> AnyResponse:
    """Go back to the columns."""
    with db.unit_of_work(sessions.clinic().id) as session:
        checking.again(_the_run(session, run_id, lock=True))
    return redirect(url_for("importing.run", run_id=run_id), 303)


@importing.post("/settings/import/<uuid:run_id>/begin")
@permissions.signed_in("files.import")
def begin(run_id: UUID) -> AnyResponse | tuple[str, int]:
    """Import the rows that are good, and cancel at the end what a complete file does not hold."""
    with db.unit_of_work(sessions.clinic().id) as session:
        import_run = _the_run(session, run_id, lock=True)
        if import_run.state == "checked" and checking.findings(import_run).good:
            scope, typed = request.form.get("complete", ""), request.form.get("vanish", "")
            try:
                complete = checking.decide(session, import_run, scope, typed)
            except completeness.Held:
                return _page(session, import_run, held=scope), 422
            runs.start(session, import_run, complete=complete, by=layout.the_actor())
    return redirect(url_for("importing.run", run_id=run_id), 303)


@importing.post("/settings/import/<uuid:run_id>/stop")
@permissions.signed_in("files.import")
def stop(run_id: UUID) -> AnyResponse:
    """Stop a run; what it has imported stays."""
    with db.unit_of_work(sessions.clinic().id) as session:
        runs.stop(session, _the_run(session, run_id, lock=True), by=layout.the_actor())
    return redirect(url_for("importing.run", run_id=run_id), 303)


@importing.get("/settings/import/<uuid:run_id>/wrong.csv")
@permissions.signed_in("files.import", fresh=True)
def wrong(run_id: UUID) -> Response:
    """Return the rows that were not taken as a file to mend and send again; that they left is written down."""
    with db.unit_of_work(sessions.clinic().id) as session:
        import_run = _the_run(session, run_id)
        audit.record(
            session, import_run.clinic_id, layout.the_actor(), "import.rows_fetched", f"import_run:{import_run.id}"
        )

    def lines() -> Iterator[str]:
        with db.unit_of_work(import_run.clinic_id, read_only=True) as session:
            yield "\ufeff"  # so that a spreadsheet reads it as UTF-8
            yield from runs.sheet(session, session.get_one(ImportRun, run_id))

    answer = Response(stream_with_context(lines()), mimetype="text/csv")
    answer.headers["Content-Disposition"] = 'attachment; filename="not-taken.csv"'
    return answer


def may_send_large(environ: dict[str, Any]) -> bool:
    """Whether whoever asks is signed in: others may send no more than to every door."""
    return sessions.watcher(parse_cookie(environ).get(sessions.cookie_name(), "")) is not None


def _page(
    session: Session,
    import_run: ImportRun,
    columns: column_mapping.Columns | None = None,
    *,
    refused: bool = False,
    held: str | None = None,
) -> str:
    columns = columns or importfiles.columns_of(import_run)
    facts = import_pages.run_facts(session, import_run)
    if import_run.state == "mapping":
        facts |= import_pages.mapping_facts(session, import_run, columns)
    elif import_run.state == "checked":
        facts |= import_pages.checked_facts(session, import_run)
    return layout.page(
        session,
        "staff/import.html",
        here="import",
        run=import_run,
        columns=columns,
        refused=refused,
        held=held,
        **facts,
    )


def _door(problem: str | None) -> str:
    with db.unit_of_work(sessions.clinic().id, read_only=True) as session:
        mine = [kind for kind, act in WHO.items() if layout.may(act)]
        last = select(ImportRun).where(ImportRun.clinic_id == sessions.clinic().id, ImportRun.kind.in_(mine))
        runs = session.scalars(last.order_by(ImportRun.created_at.desc()).limit(12)).all()
        now, zone = clock.now(), sessions.clinic().zone
        return layout.page(
            session,
            "staff/imports.html",
            here="import",
            problem=problem,
            runs=[(import_run, times.moment(import_run.created_at, now, zone)) for import_run in runs],
            sources=sorted({import_run.source for import_run in runs}),
            kinds=_kinds(),
            registry=care_model.of_clinic(sessions.clinic()).registry,
            given=request.form,
        )


def _kinds() -> list[str]:
    """Which files the reader may hand in here: a registry only where the clinic has one."""
    registry = care_model.of_clinic(sessions.clinic()).registry
    return [kind for kind, act in WHO.items() if layout.may(act) and (kind != registry_import.NAME or registry)]


def _the_run(session: Session, run_id: UUID, *, lock: bool = False) -> ImportRun:
    import_run = session.get(ImportRun, run_id, with_for_update=lock)
    if import_run is None or import_run.clinic_id != sessions.clinic().id:
        abort(404)
    if not layout.may(WHO[import_run.kind]):
        abort(403)
    return import_run


@contextmanager
def _on_disk(upload: Any) -> Iterator[Path]:
    """The upload as a file that only we may read, gone again at the end: a table is counted before it is read."""
    handle, name = tempfile.mkstemp(prefix="warmthread-import-")
    try:
        with os.fdopen(handle, "wb") as file:
            upload.save(file)
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)
