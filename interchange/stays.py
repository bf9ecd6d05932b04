"""Keeps what a feed says of a stay in a hospital: of the clinic's own patients; no minutes of care count within it."""

from interchange import moments
from interchange.visits import Act, Context, external_id
from reminders import stays


def do(name: str, act: Act, context: Context) -> bool:
    """Keep what is told of a stay; whether it changed anything. Nobody is added to the clinic's patients for it.
    Raises identity.Unclear where a person must say who is meant."""
    patient = context.register.known(act["patient"], act.get("person"))
    if patient is None:
        return False
    edges = {edge: moments.parsed(act[edge]) if act[edge] else None for edge in stays.EDGES if edge in act}
    told = stays.Told(
        source=context.source,
        external_id=external_id(str(act["key"])),
        said_at=moments.since(act.get("as_of"), context.said_at),
        edges=edges,
        cancelled=name == "inpatient.cancel",
    )
    return stays.keep(context.session, patient, told)
