"""The server's time for a patient's form page, shown and saved, beside a bare page of one SELECT."""

import re
import statistics
import time
from collections.abc import Callable
from datetime import date

from flask import Flask, render_template_string
from sqlalchemy import select, text

from bench import stage
from config import db
from intake_links import links
from messaging.models import Clinic
from messaging.people import directory
from service import app as application
from service import start

FORMS, ROUNDS, GOAL = 10, 3, 15.0
BORN = date(1981, 3, 27)


def measure() -> str:
    """Return the p95 in milliseconds of showing and of saving, and the ratio of each to the floor's p95."""
    with stage.folder() as folder:
        stage.begin(folder / "data")
        stage.clinic()
        app, client = application.create_app(), _bare().test_client()
        start.settled()
        _answer_forms(app, "warm", [], [])
        shown: list[float] = []
        saved: list[float] = []
        floor: list[float] = []
        for turn in range(ROUNDS):
            floor += [_timed(lambda: client.get("/")) for _ in range(9 * FORMS)]
            for form in range(FORMS):
                _answer_forms(app, f"{turn}-{form}", shown, saved)
        db.engine().dispose()
    show, save, least = _p95(shown), _p95(saved), _p95(floor)
    return (
        f"forms: question shown p95 {show:.1f} ms (ratio {show / least:.1f}), answer saved p95 {save:.1f} ms "
        f"(ratio {save / least:.1f}), floor p95 {least:.1f} ms (goal {GOAL:.0f} ms; {len(shown)} questions, SQLite)"
    )


def _bare() -> Flask:
    app = Flask("floor")

    @app.get("/")
    def page() -> str:
        with db.unit_of_work(db.EVERY, read_only=True) as session:
            name = session.scalar(text("SELECT name FROM clinic"))
        return render_template_string("<!doctype html><title>{{ name }}</title>", name=name)

    return app


def _answer_forms(app: Flask, record: str, shown: list[float], saved: list[float]) -> None:
    """Answer one PHQ-9 from its link to the last question, and add the milliseconds of each step."""
    with db.unit_of_work(db.EVERY) as session:
        clinic = session.scalars(select(Clinic)).one()
        person = directory.PatientRecord(record, "Jo", "Lane", "+12015550147", BORN)
        patient = directory.save_patient(session, clinic, person)[0]
        url = links.issue(session, clinic, patient, ["phq9"])[1]
    client, path = app.test_client(), "/i/" + url.rsplit("/", 1)[1]
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get(path).text)
    secret = {"csrf_token": token[1] if token else ""}
    client.post(path, data=secret | {"day": "27", "month": "3", "year": "1981"})
    for number in range(1, 10):
        where = f"/i/q/1/{number}"
        shown.append(_timed(lambda where=where: client.get(where), 200))  # type: ignore[misc]
        saved.append(_timed(lambda where=where: client.post(where, data=secret | {"answer": "0"}), 303))  # type: ignore[misc]


def _timed(ask: Callable[[], object], status: int = 200) -> float:
    began = time.perf_counter()
    answer = ask()
    taken = 1000 * (time.perf_counter() - began)
    if getattr(answer, "status_code", None) != status:
        raise RuntimeError("a page of the form was not answered as it should be")
    return taken


def _p95(taken: list[float]) -> float:
    return statistics.quantiles(taken, n=20)[-1]
