"""What a webhook says: the form fields Twilio sends, in the order they leave here."""

from simulator import numbers
from simulator.messages import Message

API_VERSION = "2010-04-01"
Fields = list[tuple[str, str]]


def status(message: Message, account_sid: str) -> Fields:
    """The fields of a status callback for the message as it is now."""
    fields = [*_both(message, account_sid), ("MessageStatus", message.status), ("SmsStatus", message.status)]
    if message.error_code is not None:
        fields.append(("ErrorCode", str(message.error_code)))
    return fields


def inbound(message: Message, account_sid: str, base_url: str, opt_out: str | None) -> Fields:
    """The fields of a text from a phone; `opt_out` is the keyword's kind under Advanced Opt-Out."""
    fields = [
        *_both(message, account_sid),
        ("SmsMessageSid", message.sid),
        ("SmsStatus", "received"),
        ("Body", message.body),
        ("NumSegments", str(message.num_segments)),
        ("NumMedia", str(len(message.media))),
    ]
    for side, number in (("From", message.sender), ("To", message.to)):
        fields.append((f"{side}Country", numbers.country(number)))
        fields += [(side + place, "") for place in ("State", "City", "Zip")]  # Twilio sends them, often blank
    for at, media in enumerate(message.media.values()):
        address = f"/{API_VERSION}/Accounts/{account_sid}/Messages/{message.sid}/Media/{media.sid}"
        fields += [(f"MediaUrl{at}", base_url + address), (f"MediaContentType{at}", media.content_type)]
    if opt_out:
        fields.append(("OptOutType", opt_out))
    return fields


def _both(message: Message, account_sid: str) -> Fields:
    fields = [
        ("MessageSid", message.sid),
        ("SmsSid", message.sid),
        ("AccountSid", account_sid),
        ("From", message.sender),
        ("To", message.to),
        ("ApiVersion", API_VERSION),
    ]
    return [*fields, ("MessagingServiceSid", message.service_sid)] if message.service_sid else fields
