"""The clinic's tablet: a code opens one patient's form, and whatever happens the next patient sees nothing of it."""

from flask import Blueprint, request
from werkzeug.wrappers import Response

from config import db
from intake_links import arriving, frame, pauses, sheets, tablet

kiosk = Blueprint("kiosk", __name__, url_prefix="/k")
frame.behind(kiosk)
FREE_TRIES = 5
# Wrong codes an hour from all unknown addresses together; a code does not say whose it is, so the door counts as one.
# Past these one a minute is tried: of a million codes, some ninety an hour.
FREE_AT_DOOR = 30


@kiosk.get("")
def code() -> Response:
    """Ask for the code that staff were shown."""
    return sheets.page("code", sheets.language_for(None), None)


@kiosk.post("")
def enter() -> Response:
    """Open the form the code is for; wrong codes from one address, or from many, must wait longer each time."""
    address, language = request.remote_addr or "", sheets.language_for(None)
    if pauses.wait_at_door("code", address, FREE_TRIES, FREE_AT_DOOR):
        return sheets.page("code", language, None, 429, problem="code_wait")
    with db.unit_of_work(db.EVERY) as session:
        opened = tablet.redeem(session, request.form.get("code", "")[:20])
        if opened is None:
            pauses.wrong_at_door("code", address)
            return sheets.page("code", language, None, 422, problem="code_wrong")
        pauses.right_at_door("code", address)
        # Alone: whoever had the tablet before has no way back in, and this patient none to theirs.
        arriving.begin(session, *opened, alone=True)
        return frame.to("pages.resume")


@kiosk.get("/still")
def still() -> Response:
    """Hide the question after two idle minutes, and ask whether somebody is there."""
    return sheets.page("still", sheets.language_for(None), None)


@kiosk.get("/ended")
def ended() -> Response:
    """Close the visit on this tablet and show nothing of it."""
    return frame.leave(sheets.page("ended", sheets.language_for(None), None))
