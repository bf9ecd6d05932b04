"""Handing a check's answer in at the web door, with no transaction open, and writing down if it was not taken."""

from config import db, logging
from service.self_check import checking, web_door
from service.self_check.models import SelfCheck


def hand_in(begun: checking.Begun) -> str | None:
    """Answer on the link of a check that has begun; return why that was not taken, None if it was."""
    fault = None
    try:
        web_door.answer(begun.url)
    except web_door.NotTaken as refused:
        fault = str(refused)[:40]
        logging.logger().error("the web server did not take the self-check's answer", fault=fault)
    with db.unit_of_work(db.EVERY) as session:
        check = session.get(SelfCheck, begun.check_id, with_for_update=True)
        if check is not None and check.event == begun.event:  # else it was ended, or begun anew, meanwhile
            check.door_error = None
            if fault and check.state == "running":
                checking.shut_out(check, fault)
    return fault
