"""Twilio's error codes as this network answers them."""

import tomllib
from importlib import resources
from typing import Any

_CODES: dict[str, dict[str, Any]] = tomllib.loads(
    resources.files("simulator").joinpath("errors.toml").read_text(encoding="utf-8")
)


class ApiError(Exception):
    """A request refused with one of the codes of errors.toml."""

    def __init__(self, code: int) -> None:
        super().__init__(message(code))
        self.code = code
        self.status: int = _CODES[str(code)]["status"]

    def payload(self) -> dict[str, str | int]:
        """Twilio's error body: code, message, more_info and status."""
        return {
            "code": self.code,
            "message": str(self),
            "more_info": f"https://www.twilio.com/docs/errors/{self.code}",
            "status": self.status,
        }


def message(code: int) -> str:
    """What a code means, in a sentence."""
    return str(_CODES[str(code)]["message"])
