"""The environment in which a process of its own works on a test's database and phone network."""

import os

from config import runtime


def environment() -> dict[str, str]:
    """Return ours, with what a test has set."""
    settings = runtime.settings()
    ours = {
        "DATABASE_URL": settings.database_url,
        "TWILIO_ACCOUNT_SID": settings.twilio_account_sid,
        "TWILIO_AUTH_TOKEN": settings.twilio_auth_token.get_secret_value(),
        "TWILIO_API_URL": settings.twilio_api_url,
        "WARMTHREAD_PUBLIC_URL": settings.public_url,
        "WARMTHREAD_DATA_DIR": str(settings.data_dir),
        "WARMTHREAD_SETTLE_SECONDS": str(settings.settle_seconds),
    }
    return {name: value for name, value in os.environ.items() if name not in ours} | ours
