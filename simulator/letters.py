"""The mails that came, to look at, and the JSON interface of the mail server: /mail and /sim/mails."""

from flask import Blueprint, Response, abort, current_app, jsonify, make_response, render_template, request
from flask.typing import ResponseReturnValue
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from simulator.mail import Letter, Mailbox

pages = Blueprint("letters", __name__)
SHOWN = 100


class Behaviour(BaseModel):
    """How the mail server behaves: `away` refuses everybody, `refused` are addresses it does not know."""

    model_config = ConfigDict(extra="forbid")

    away: bool = False
    refused: list[str] = Field(default_factory=list)


def mailbox() -> Mailbox:
    """Return the mailbox of the running app."""
    kept: Mailbox = current_app.extensions["mailbox"]
    return kept


@pages.errorhandler(ValidationError)
def explain(error: ValidationError) -> ResponseReturnValue:
    """Say what is wrong with a request."""
    return jsonify(error=str(error)), 400


@pages.get("/mail")
def inbox() -> ResponseReturnValue:
    """Every mail, the newest first."""
    revision = mailbox().revision
    if request.args.get("since", type=int) == revision:
        return Response(status=204)
    page = render_template("mail.html", letters=mailbox().letters()[:SHOWN], revision=revision, away=mailbox().away)
    answer = make_response(page)
    answer.headers["Cache-Control"] = "no-store"
    return answer


@pages.get("/sim/mails")
def mails() -> ResponseReturnValue:
    """Every mail, the newest first, `to` one address if asked."""
    return jsonify(mails=[_said(letter) for letter in mailbox().letters(request.args.get("to"))])


@pages.put("/sim/mails")
def behave() -> ResponseReturnValue:
    """Let the server be away, or know some addresses not."""
    wanted = Behaviour.model_validate(request.get_json())
    mailbox().away, mailbox().refused = wanted.away, {address.lower() for address in wanted.refused}
    return jsonify(wanted.model_dump())


@pages.get("/sim/mails/<int:number>")
def raw(number: int) -> ResponseReturnValue:
    """One mail, byte by byte, as it came."""
    letter = next((each for each in mailbox().letters() if each.number == number), None)
    if letter is None:
        abort(404)
    return Response(letter.raw, mimetype="text/plain")


def _said(letter: Letter) -> dict[str, object]:
    return {
        "number": letter.number,
        "at": letter.at.isoformat(),
        "to": letter.to,
        "subject": letter.subject,
        "body": letter.body,
    }
