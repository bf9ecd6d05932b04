"""Where a clinic loads its own copy of the social-needs questions, with the permission it has for them."""

from flask import flash, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from caseload import episodes
from caseload.social import scoring, wordings
from config import clock, db
from web import layout, permissions, sessions, team, times, words

social_wordings = layout.room("social_wordings", __name__)


@social_wordings.get("/settings/social-needs")
@permissions.signed_in("clinic.look")
def show() -> str:
    """Show what is loaded, and the form for it."""
    with db.unit_of_work(sessions.clinic().id, read_only=True) as session:
        return _page(session)


@social_wordings.post("/settings/social-needs")
@permissions.signed_in("clinic.settings")
def load() -> Response | tuple[str, int]:
    """Put a wording into use, or show what is wrong with all that was typed."""
    clinic, form = sessions.clinic(), request.form
    try:
        with db.unit_of_work(clinic.id) as session:
            if form.get("permitted") != "on":
                raise episodes.Refused("social_permitted", "permitted")
            said = wordings.read(form.get("words", ""))
            language, licence = form.get("language", ""), form.get("licence", "")
            wordings.load(session, clinic, layout.the_staff(), language, said, licence)
    except wordings.BadLine as bad:
        return _again(words.say("refusals", bad.why, line=bad.line), "words")
    except episodes.Refused as refused:
        return _again(words.say("refusals", refused.why), refused.field)
    flash(words.say("notices", "social_loaded"), "done")
    return redirect(url_for("social_wordings.show"), 303)


@social_wordings.post("/settings/social-needs/retire")
@permissions.signed_in("clinic.settings")
def retire() -> Response:
    """Take the wording of a language out of use."""
    clinic = sessions.clinic()
    with db.unit_of_work(clinic.id) as session:
        wordings.retire(session, clinic, layout.the_staff(), request.form.get("language", ""))
    flash(words.say("notices", "social_retired"), "done")
    return redirect(url_for("social_wordings.show"), 303)


def _again(problem: str, field: str) -> tuple[str, int]:
    with db.unit_of_work(sessions.clinic().id, read_only=True) as session:
        return _page(session, problem, field), 422


def _page(session: Session, problem: str = "", field: str = "") -> str:
    clinic = sessions.clinic()
    people, now = team.everyone(session, clinic.id), clock.now()
    return layout.page(
        session,
        "staff/social_wording.html",
        here="social_wording",
        loaded=[
            (row, f"{team.name_of(people, row.loaded_by, '')}, {times.day(row.loaded_at, now, clinic.zone)}")
            for row in wordings.in_use(session, clinic.id).values()
        ],
        languages=wordings.LANGUAGES,
        typed=request.form if problem else {"words": _empty()},
        longest=wordings.LONGEST_LICENCE,
        edits=layout.may("clinic.settings"),
        problem=problem,
        field=field,
    )


def _empty() -> str:
    """A line for each key to be filled in, with what it is about in our own short words."""
    lines: list[str] = []
    for item in scoring.core().items:
        lines.append(f"# {words.say('social_items', item.loinc)}")
        keys = (f"{key} = " for key in (item.loinc, *(answer.key for answer in item.answers)))
        lines += [line for line in keys if line not in lines]
    return "\n".join(lines)
