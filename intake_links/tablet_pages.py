"""The clinic's tablet: a code opens one patient's form, and whatever happens the next patient sees nothing of it."""

from flask import Blueprint, request
from werkzeug.wrappers import Response

from config import client_address, db, devices, throttle
from intake_links import arriving, frame, rendering, tablet_codes

kiosk = Blueprint("kiosk", __name__, url_prefix="/k")
frame.behind(kiosk)
TRIES = throttle.Limit("tablet.source", free=5)
# A source that has opened a form is a clinic's own: strangers who guess at the door do not make it wait.
OWN_SECONDS = 30 * 86_400
OWN = "tablet.own"


@kiosk.get("")
def code() -> Response:
    """Ask for the code that staff were shown."""
    return rendering.page("code", rendering.language_for(None), None)


@kiosk.post("")
def enter() -> Response:
    """Open the form the code is for; wrong codes from one source, or from many, must wait longer each time."""
    language, device = rendering.language_for(None), request.cookies.get(devices.cookie_name())
    source = client_address.source(request.environ)
    own, shared = _counted(source, devices.known(device, OWN))
    if throttle.take(own, *shared):
        return rendering.page("code", language, None, 429, problem="code_wait")
    with db.unit_of_work(db.EVERY) as session:
        opened = tablet_codes.redeem(session, request.form.get("code", "")[:20])
        if opened is None:
            return rendering.page("code", language, None, 422, problem="code_wrong")
        # Alone: whoever had the tablet before has no way back in, and this patient none to theirs.
        arriving.begin(session, *opened, alone=True)
    throttle.forget(own)
    throttle.give_back(*shared)
    throttle.remember(OWN, source, OWN_SECONDS)
    response = frame.to("pages.resume")
    devices.remember(response, device, OWN)
    return response


def _counted(source: str, device: str | None) -> tuple[throttle.Bucket, tuple[throttle.Bucket, ...]]:
    """Return what a try is counted in: its own device or source; all, and the door unless one of them is a clinic's."""
    own = TRIES.of("device", device) if device else TRIES.of(source)
    of_a_clinic = device is not None or throttle.remembers(OWN, source)
    return own, (tablet_codes.noticed(), *(() if of_a_clinic else (tablet_codes.door(),)))


@kiosk.get("/still")
def still() -> Response:
    """Hide the question after two idle minutes, and ask whether somebody is there."""
    return rendering.page("still", rendering.language_for(None), None)


@kiosk.get("/ended")
def ended() -> Response:
    """Close the form on this tablet and show nothing of it."""
    return frame.leave(rendering.page("ended", rendering.language_for(None), None))
