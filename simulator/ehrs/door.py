"""What stands before both EHRs: faults on purpose, the bearer's token, and a list of what was asked."""

import time

from flask import Response, current_app, g, request
from flask.typing import ResponseReturnValue

from simulator import clock
from simulator.ehrs import outcomes, tokens
from simulator.ehrs.charts import Asked, Chart, Charts, Fault


def charts() -> Charts:
    """Return the EHRs of the running app."""
    kept: Charts = current_app.extensions["ehrs"]
    return kept


def chart(name: str) -> Chart:
    """Return one of them."""
    found = charts().of(name)
    assert found is not None, name
    return found


def before(name: str) -> ResponseReturnValue | None:
    """Let a request fail as was asked for."""
    fault = chart(name).fault(request.path, request.method)
    g.warning = fault.warning if fault else ""
    g.afterwards = fault if fault and fault.accepts else None
    return _gone_wrong(fault) if fault and not fault.accepts else None


def _gone_wrong(fault: Fault) -> Response | None:
    """What a fault answers, None where it is no more than late."""
    if fault.code and fault.status is None:
        return outcomes.refusal(outcomes.Refused(fault.code))
    if fault.status is not None:
        headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
        return outcomes.answer(outcomes.outcome(*([fault.code] if fault.code else [])), fault.status, **headers)
    return None


def after(name: str, answer: Response) -> Response:
    """Write down what was asked; what was done may be answered as if it was not."""
    fault: Fault | None = g.get("afterwards")
    if fault is not None:
        time.sleep(fault.hang_s)
        answer = _gone_wrong(fault) or answer
    path = request.full_path.rstrip("?")
    chart(name).note(Asked(clock.now().isoformat(), request.method, path, answer.status_code))
    return answer


def may(name: str, scope: str) -> None:
    """Refuse whoever has no token for this: 401 without one, 4118 where it is too narrow."""
    granted = tokens.scopes(chart(name), request.headers.get("Authorization", ""))
    if granted is None:
        raise NoToken
    if scope and scope not in granted.split():
        raise outcomes.Refused("4118")


class NoToken(Exception):
    """Nobody we know asks, or not any more."""


def no_token(_error: NoToken) -> Response:
    """Answer whoever has no token, as RFC 6750 says."""
    return outcomes.answer(outcomes.outcome(), 401, **{"WWW-Authenticate": 'Bearer error="invalid_token"'})
