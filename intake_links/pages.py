"""The pages patients answer on: one question each, saved at once, without any script."""

from flask import redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from config import db
from intake_links import arriving, birth_date_check, frame, links, progress, rendering, scoring, submissions
from intake_links.models import IntakeLink
from messaging import phone
from messaging.models import Clinic
from messaging.wording import clinic_names, clinic_words

pages = frame.pages


@frame.pages.post("/again")
def verify_again() -> Response:
    """Let in again who was away too long, and save the answer that came too late to the form it was given on."""
    birth_date_check.slow_down()
    with db.unit_of_work(db.EVERY) as session:
        link, opened = arriving.whose(session, acting=True)
        if link is None or links.on_tablet(link):
            return frame.not_opened(session)
        clinic = session.get_one(Clinic, link.clinic_id)
        carried = rendering.carried()
        if opened is None and link.state == "answered" and not carried:
            return frame.to("pages.resume")
        action, opens = url_for("pages.verify_again"), arriving.may_return if carried else links.is_open
        opened_or_page = birth_date_check.go_on(session, clinic, link, opened, action, opens, carried)
        if isinstance(opened_or_page, Response):
            return opened_or_page
        if opened_or_page is None or not request.form.get("part"):
            return frame.to("pages.resume")
        part, number = request.form.get("part", type=int), request.form.get("number", type=int)
        return _save(session, clinic, opened_or_page, part or 0, number or 0)


@frame.pages.get("/q")
@frame.inside(acting=False)
def resume(session: Session, _clinic: Clinic, opened: links.OpenedLink) -> Response:
    """Go to the first open question, the check page, or the thanks."""
    return frame.onward(session, opened.link)


@frame.pages.get("/q/<int:part>/<int:number>")
@frame.inside(acting=False)
def question(session: Session, clinic: Clinic, opened: links.OpenedLink, part: int, number: int) -> Response:
    """Show one question, with the answer this very session has given to it, if any."""
    here = progress.place(session, opened.link)
    index = number - 1
    if here is None or here.part != part - 1 or not here.reachable(index):
        return frame.onward(session, opened.link)
    return rendering.question(clinic, opened, here, index)


def _keep_late(session: Session, clinic: Clinic, link: IntakeLink) -> None:
    """Keep an answer for a person where nobody can be asked whether they are the patient."""
    part, index = (int((request.view_args or {})[name]) - 1 for name in ("part", "number"))
    if 0 <= part < len(link.instruments):
        items = progress.place_in(session, link, part).definition.items
        answered, value = _given(items[index].values) if 0 <= index < len(items) else (False, None)
        if answered:
            submissions.keep_late(session, clinic, link, part, index, value)


@frame.pages.post("/q/<int:part>/<int:number>")
@frame.inside(acting=True, late=_keep_late)
def answer(session: Session, clinic: Clinic, opened: links.OpenedLink, part: int, number: int) -> Response:
    """Save one answer and go on."""
    return _save(session, clinic, opened, part, number)


def _save(session: Session, clinic: Clinic, opened: links.OpenedLink, part: int, number: int) -> Response:
    link, index = opened.link, number - 1
    if not 1 <= part <= len(link.instruments):
        return frame.onward(session, link)
    here = progress.place_in(session, link, part - 1)
    if not 0 <= index < len(here.definition.items):
        return frame.onward(session, link)
    answered, value = _given(here.definition.items[index].values)
    if not answered and not here.asked(index):
        return rendering.question(clinic, opened, here, index, problem="choose")
    if answered:
        screen = here.screen or submissions.begin(session, clinic, link, part - 1)
        submissions.accept_answer(session, clinic, screen, index, value, given_in=opened.session.id)
        if here.alerts(index, value):
            return frame.to("pages.help_now")
        here = progress.standing(part - 1, link, screen)
    return _after(session, link, here, index)


def _given(values: tuple[int, ...]) -> tuple[bool, int | None]:
    """Whether the form holds an answer, and which; declining is one, and only the instrument's own values are."""
    if "skip" in request.form:
        return True, None
    chosen = request.form.get("answer", "")
    return next(((True, value) for value in values if str(value) == chosen), (False, None))


def _after(session: Session, link: IntakeLink, here: progress.Place, index: int) -> Response:
    """Go to the question that follows, or to where a change was asked for."""
    later = [i for i in scoring.applicable(here.definition, here.answers) if i > index]
    if here.screen is None or here.screen.state != "started" or not later or request.form.get("change"):
        return frame.onward(session, link)
    return frame.to("pages.question", part=here.part + 1, number=later[0] + 1)


@frame.pages.get("/q/<int:part>/check")
@frame.inside(acting=False)
def check(session: Session, clinic: Clinic, opened: links.OpenedLink, part: int) -> Response:
    """Show the answers of this session before they are handed in; those of an earlier one only as "answered"."""
    here = progress.place(session, opened.link)
    if here is None or here.part != part - 1 or here.question is not None:
        return frame.onward(session, opened.link)
    return rendering.check(clinic, opened, here)


@frame.pages.post("/q/<int:part>/check")
@frame.inside(acting=True)
def send(session: Session, clinic: Clinic, opened: links.OpenedLink, part: int) -> Response:
    """Hand in one instrument; pressed twice, or in two tabs, it is handed in once."""
    link = opened.link
    if 1 <= part <= len(link.instruments):
        here = progress.place_in(session, link, part - 1)
        if here.screen is not None and here.question is None:
            submissions.submit(session, clinic, here.screen)
            if progress.told(session, link) is not None:
                return frame.to("pages.help_now")
    return frame.onward(session, link)


@frame.pages.get("/help")
@frame.inside(acting=False)
def help_now(session: Session, clinic: Clinic, opened: links.OpenedLink) -> Response:
    """Show whom to call; that our team was told is said only if the item is stored."""
    told, language = progress.told(session, opened.link), rendering.language_for(opened.link.language)
    about = {"clinic": clinic_names.in_texts(clinic, language), "clinic_phone": phone.display(clinic.phone)}
    own = clinic_words.of(session, clinic.id).say("crisis_line", language, about)
    return rendering.page("help", language, clinic, told=bool(told), own=own, at="help_now")


@frame.pages.get("/done")
@frame.inside(acting=False)
def done(session: Session, clinic: Clinic, opened: links.OpenedLink) -> Response:
    """Say thank you, and show nothing of what was answered."""
    if progress.place(session, opened.link) is not None:
        return frame.onward(session, opened.link)
    return frame.thanks(rendering.language_for(opened.link.language), clinic, frame.own_page())


@frame.pages.post("/language")
@frame.inside(acting=True)
def language(session: Session, _clinic: Clinic, opened: links.OpenedLink) -> Response:
    """Go on in another language where the patient was."""
    if request.form.get("to") in rendering.LANGUAGES:
        submissions.speak(session, opened.link, request.form["to"])
    part, number = request.form.get("part", type=int), request.form.get("number", type=int)
    if request.form.get("at") == "question" and part and number:
        return frame.to("pages.question", part=part, number=number)
    own = frame.own_page()
    if request.form.get("at") == "own" and own is not None:
        return redirect(own, 303)
    return frame.to("pages.help_now") if request.form.get("at") == "help_now" else frame.onward(session, opened.link)
