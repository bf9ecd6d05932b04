"""The fields of a signed form, read so strictly that a signature can mean one thing only. Pure.

Twilio signs the concatenation of all names and values without any separator. Whoever replays a signed request could
cut it differently, so that the text loses its end or another number seems to speak. Here every such cut is refused,
or yields the same fields.
"""

import re
from collections.abc import Iterator, Mapping
from urllib.parse import unquote_to_bytes

from config import strict_json
from webhooks.signatures import Fields

MOST_FIELDS = 100
STATUSES = (
    "accepted|scheduled|queued|sending|sent|delivered|undelivered|failed|canceled|read|partially_delivered"
    "|receiving|received"
)
SID = r"(?:SM|MM)[0-9a-f]{32}"
NUMBER = r"\+[1-9][0-9]{6,14}"
# A number, a short code, the address of another channel ("rcs:agent"), or the name some senders have instead of a
# number. No name of a parameter within it: it would be the beginning of the next one.
SENDER = (
    rf"(?:[a-z]{{2,12}}:)?{NUMBER}|[0-9]{{3,8}}"
    r"|(?!.*(?:From|To[A-Z+]|Media|Message|Num[A-Z]|OptOut|Sms[A-Z]|Api[A-Z]|Body))(?!(?:[a-z]{2,12}:)?\+)"
    r"(?=.*[^0-9])[^\x00-\x20\x7f](?:[^\x00-\x1f\x7f]{0,62}[^\x00-\x20\x7f])?"
)
SMS = {
    "MessageSid": SID,
    "From": SENDER,
    "To": SENDER,
    "NumMedia": r"(?:[0-9]|10)?",
    "OptOutType": r"(?:STOP|START|HELP)?",
    "ApiVersion": r"(?:[0-9]{4}-[0-9]{2}-[0-9]{2})?",
}
STATUS = {"MessageSid": SID, "MessageStatus": STATUSES, "ErrorCode": r"[0-9]{0,6}"}
# A field we read, before something that could be its value:
# where this stands and no such name ends, the cut is doubtful.
_STRAY = re.compile(
    r"AccountSid(?=AC[0-9a-f])|MessageSid(?=(?:SM|MM)[0-9a-f])|NumMedia(?=[0-9])|MediaUrl[0-9]+(?=http)"
    r"|MediaContentType[0-9]+(?=[a-z]+/)|OptOutType(?=ST|HE)|MessageStatus(?=[a-z])|ErrorCode(?=[0-9])"
    r"|(?:From|To)(?=\+?[0-9]|[a-z]{2,12}:)"
)
# Names that are meant to end like a field we read.
_LIKE = re.compile(
    r"AccountSid|(?:Sms|OriginalReplied)?MessageSid|(?:Referral)?NumMedia|MediaUrl[0-9]+|MediaContentType[0-9]+"
    r"|OptOutType|MessageStatus|ErrorCode|From|To"
)


# Names that carriers are known to send and patients do not write. Only names that are known for sure: whoever replays
# a signed request could otherwise make words of the patient disappear as the name of a parameter.
CARRIERS_PARAMETERS = frozenset(
    [
        "ButtonPayload",
        "ButtonText",
        "CallbackUrl",
        "ChannelMetadata",
        "DateCreated",
        "DateSent",
        "DateUpdated",
        "ErrorCode",
        "ErrorMessage",
        "EventType",
        "FrequentlyForwarded",
    ]
)
# What the carrier set in Body itself, kept where words of doubt were added to it.
ALONE = "BodyAlone"
# The text with all that came behind it, where what came behind it is a parameter by its name and no words.
JOINED = "BodyJoined"
# Whence and whereto it came, where that was another channel's address of a number.
FROM_ADDRESS, TO_ADDRESS = "FromAddress", "ToAddress"
# When the carrier took a text that no webhook brought (webhooks.missed_texts).
SENT = "SentAt"
_OURS = frozenset([ALONE, JOINED, FROM_ADDRESS, TO_ADDRESS, SENT])
# How carriers write the names of their parameters; patients do not write such words.
_PARAMETER = re.compile(r"(?:[A-Z][a-z0-9]+){2,}")
_CHANNEL = re.compile(rf"[a-z]{{2,12}}:({NUMBER})")


class BadFields(ValueError):
    """The form cannot be believed; the message names the field and repeats nothing of it."""


def parse(body: bytes) -> list[tuple[bytes, bytes]]:
    """Return the fields of a urlencoded form as they came, blank ones too. Raises BadFields for more than a hundred."""
    pieces = [piece for piece in body.split(b"&") if piece]
    if len(pieces) > MOST_FIELDS:
        raise BadFields("too many parameters")
    return [(_plain(name), _plain(value)) for name, _, value in (piece.partition(b"=") for piece in pieces)]


def _plain(encoded: bytes) -> bytes:
    return unquote_to_bytes(encoded.replace(b"+", b" "))


def once(fields: Fields) -> dict[str, str]:
    """Return the fields by name. Raises BadFields when one stands there twice: which of the two was meant?"""
    named = {words(name): words(value) for name, value in fields}
    if len(named) != len(fields):
        raise BadFields("a parameter is repeated")
    return named


def words(raw: bytes) -> str:
    """Return bytes as text without losing any: lone surrogates stay what they are, other stray bytes are escaped."""
    try:
        return raw.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return raw.decode("utf-8", "surrogateescape")


def sms(form: Mapping[str, str], account_sid: str) -> dict[str, str]:
    """Return the fields of an inbound text with its whole `Body`. Raises BadFields.

    A name we do not know that sorts between Body and From could be the end of what was written. One that is written as
    carriers write names changes nothing: Body says what was said, and both together stand under `JOINED`, so that no
    crisis and no STOP is lost whichever was meant. Any other is kept and also taken as words, because losing words of a
    patient is worse than showing too many; what came in Body itself then stands under `ALONE`. A name that is a
    carrier's own is not taken for words. A number written as the address of another channel (rcs:, whatsapp:) is that
    number; the address stands beside it.
    """
    _check(form, account_sid, SMS, demanded=("MessageSid", "From", "To", "Body"))
    if "Body" in _told({name: value for name, value in form.items() if name < "Body"}):
        raise BadFields("Body stands there twice")
    _check_cuts({name: value for name, value in form.items() if not "Body" <= name < "From"})
    kept = {name: value for name, value in form.items() if name not in _OURS}
    return {**kept, **_addresses(form), **_words_of(form)}


def _words_of(form: Mapping[str, str]) -> dict[str, str]:
    behind = {name: value for name, value in form.items() if "Body" < name < "From" and name not in CARRIERS_PARAMETERS}
    joined = form["Body"] + _told(behind)
    if not behind:
        return {"Body": joined}
    if all(_PARAMETER.fullmatch(name) for name in behind):
        return {"Body": form["Body"], JOINED: joined}
    return {"Body": joined, ALONE: form["Body"]}


def shown(form: Mapping[str, str]) -> str:
    """Return what staff are shown of a text: where words may have come behind it, those too."""
    behind = form.get(JOINED, form["Body"]).removeprefix(form["Body"])
    return strict_json.showable(f"{form['Body']}\n[{behind}]" if " " in behind.strip() else form["Body"])


def _addresses(form: Mapping[str, str]) -> dict[str, str]:
    replaced: dict[str, str] = {}
    for name, address in (("From", FROM_ADDRESS), ("To", TO_ADDRESS)):
        if (number := number_or_address(form[name])) != form[name]:
            replaced |= {name: number, address: form[name]}
    return replaced


def number_or_address(address: str) -> str:
    """Return the number that is written as another channel's address ("rcs:+1..."), or the address as it is."""
    channel = _CHANNEL.fullmatch(address)
    return channel[1] if channel else address


def is_number(address: str) -> bool:
    """Whether texts to this address reach a person's phone: a number, no short code, name or agent."""
    return re.fullmatch(NUMBER, address) is not None


def status(form: Mapping[str, str], account_sid: str) -> dict[str, str]:
    """Return the fields of a status callback. Raises BadFields."""
    _check(form, account_sid, STATUS, demanded=("MessageSid", "MessageStatus"))
    _check_cuts(form)
    return dict(form)


def _check_cuts(form: Mapping[str, str]) -> None:
    signed, ends = "", set()
    for name in _in_order(form):
        if _LIKE.fullmatch(name):
            ends.add(len(signed) + len(name))
        signed += name + form[name]
    if any(match.end() not in ends for match in _STRAY.finditer(signed)):
        raise BadFields("a parameter stands inside another")


def _told(form: Mapping[str, str]) -> str:
    return "".join(name + form[name] for name in _in_order(form))


def _in_order(form: Mapping[str, str]) -> list[str]:
    return sorted(form, key=lambda name: name.encode("utf-8", "surrogatepass"))


def _check(form: Mapping[str, str], account_sid: str, patterns: Mapping[str, str], demanded: tuple[str, ...]) -> None:
    if form.get("AccountSid") != account_sid:
        raise BadFields("AccountSid is not ours")
    for name in demanded:
        if name not in form:
            raise BadFields(f"{name} is missing")
    for name, pattern in patterns.items():
        if name in form and not re.fullmatch(pattern, form[name]):
            raise BadFields(f"{name} is not what it should be")


def media(form: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Yield the address (empty where it was not said) and the type of each attachment."""
    for number in range(int(form.get("NumMedia") or 0)):
        yield {"url": form.get(f"MediaUrl{number}", ""), "type": form.get(f"MediaContentType{number}", "")}
