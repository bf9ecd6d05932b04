"""Keeps what a feed says of a visit to an emergency department: of the clinic's own patients, and nothing follows."""

from interchange import moments
from interchange.visits import Act, Context, external_id
from reminders import emergency


def do(name: str, act: Act, context: Context) -> bool:
    """Keep a visit or that it is taken back; whether it changed anything. Nobody is added to the clinic's patients for
    it. Raises identity.Unclear where a person must say who is meant."""
    patient = context.register.known(act["patient"], act.get("person"))
    if patient is None:
        return False
    said_at = moments.since(act.get("as_of"), context.said_at)
    told = emergency.Told(
        source=context.source,
        external_id=external_id(str(act["key"])),
        at=moments.parsed(act["at"]) if act["at"] else said_at,
        said_at=said_at,
        cancelled=name == "emergency.cancel",
    )
    return emergency.keep(context.session, patient, told)
