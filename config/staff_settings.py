"""What the operator sets of how staff come in; part of `config.settings`."""

from pathlib import Path

from pydantic import BaseModel, Field, field_validator

from config import addresses


class StaffSettings(BaseModel):
    """By which address staff come, where that is another than the patients', and what they must prove."""

    staff_url: str = Field(
        "",
        alias="WARMTHREAD_STAFF_URL",
        description="address with a host name of its own for staff's pages; empty: the public one",
    )
    second_step_for_all: bool = Field(
        False,
        alias="WARMTHREAD_SECOND_STEP_FOR_ALL",
        description="whether everybody needs a second step, whatever clinics ask of which roles",
    )
    breached_passwords: Path | None = Field(
        None,
        alias="WARMTHREAD_BREACHED_PASSWORDS",
        description="file of SHA-1 hashes of breached passwords, sorted, one a line; empty: the shipped list alone",
    )

    @field_validator("staff_url")
    @classmethod
    def _staff_address(cls, value: str) -> str:
        return addresses.web(value) if value else value

    @field_validator("breached_passwords")
    @classmethod
    def _breached_passwords_are_there(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_file():
            raise ValueError("must be the path of a file")
        return value
