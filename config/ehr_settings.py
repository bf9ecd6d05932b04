"""What the operator sets of the EHRs that are asked; part of `config.settings`."""

import ipaddress

from pydantic import BaseModel, Field, field_validator

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class EhrSettings(BaseModel):
    """Inside which networks of the clinic's own an EHR may be asked."""

    ehr_networks: str = Field(
        "",
        alias="WARMTHREAD_EHR_NETWORKS",
        description="networks of your own with EHRs to be asked, as 10.20.0.0/16, by commas; empty: the internet alone",
    )

    @field_validator("ehr_networks")
    @classmethod
    def _networks(cls, value: str) -> str:
        try:
            networks(value)
        except ValueError:
            raise ValueError("must be networks such as 10.20.0.0/16, separated by commas") from None
        return value


def networks(written: str) -> tuple[Network, ...]:
    """Return the networks of a setting. Raises ValueError."""
    return tuple(ipaddress.ip_network(each.strip()) for each in written.split(",") if each.strip())
