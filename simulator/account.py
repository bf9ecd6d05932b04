"""How the account is set, as Twilio's API shows it: the account, its one number, and its Messaging Services."""

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from simulator import rest
from simulator.current import network
from simulator.errors import ApiError

# Another host of Twilio's, without the account in its addresses.
services = Blueprint("services", __name__, url_prefix="/v1/Services")
services.register_error_handler(ApiError, rest.refuse)


@services.before_request
def check_credentials() -> None:
    """Let in the one account there is."""
    rest.check_account(None, {"account_sid": network().settings.account_sid})


@rest.pages.get("/IncomingPhoneNumbers.json")
def numbers_listed() -> ResponseReturnValue:
    """List the one number there is, with where its texts go."""
    settings, wanted = network().settings, request.args.get("PhoneNumber", "")
    shown_now = [
        {
            "sid": "PN" + "0" * 32,
            "account_sid": settings.account_sid,
            "phone_number": settings.clinic_number,
            "sms_url": settings.sms_url,
            "sms_method": "POST",
            "sms_fallback_url": settings.fallback_url,
            "sms_fallback_method": "POST",
        }
    ]
    listed_now = shown_now if wanted in settings.clinic_number else []
    return jsonify(incoming_phone_numbers=listed_now, page=0, page_size=50, next_page_uri=None)


@services.get("/<sid>")
def service(sid: str) -> ResponseReturnValue:
    """Show a Messaging Service: there is one for every sid, which sends from the one number."""
    settings = network().settings
    return jsonify(
        sid=sid,
        account_sid=settings.account_sid,
        friendly_name="SIMULATED",
        inbound_request_url=settings.sms_url,
        inbound_method="POST",
        fallback_url=settings.fallback_url or None,
        fallback_method="POST",
        use_inbound_webhook_on_number=False,
    )


@rest.pages.get("")
def account() -> ResponseReturnValue:
    """Show the account, so that credentials can be tried."""
    settings = network().settings
    return jsonify(sid=settings.account_sid, friendly_name="SIMULATED", status="active", type="Full")
