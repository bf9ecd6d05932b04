"""What the operator sets of whom this service speaks to of its own accord; part of `config.settings`."""

import re

from pydantic import BaseModel, Field, field_validator

# A name, every name below one (a dot before it), or an address.
HOST = re.compile(r"\.?[a-z0-9_-]+(\.[a-z0-9_-]+)*|[0-9a-f:]*:[0-9a-f:.]*")


class OutgoingSettings(BaseModel):
    """Which of the hosts that administrators of clinics write down are spoken to."""

    outgoing_hosts: str = Field(
        "",
        alias="WARMTHREAD_OUTGOING_HOSTS",
        description="hosts where clinics' programs, EHRs and identity providers may be, as ehr.clinic.example or"
        " .clinic.example, by commas; empty: any on the internet",
    )

    @field_validator("outgoing_hosts")
    @classmethod
    def _hosts(cls, value: str) -> str:
        if not all(HOST.fullmatch(host) for host in hosts(value)):
            raise ValueError("must be names of hosts such as ehr.clinic.example or .clinic.example, by commas")
        return value


def hosts(written: str) -> tuple[str, ...]:
    """Return the hosts of a setting, in small letters."""
    return tuple(each.strip().lower() for each in written.split(",") if each.strip())
