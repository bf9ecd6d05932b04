"""What the operator sets of the listener for HL7 by MLLP; part of `config.settings`."""

import ipaddress
from pathlib import Path
from typing import Self

from pydantic import BaseModel, Field, model_validator

TOGETHER = "WARMTHREAD_MLLP_CERT, WARMTHREAD_MLLP_KEY and WARMTHREAD_MLLP_CLIENT_CA"


class MllpSettings(BaseModel):
    """Where EHRs on the clinic's network send HL7 to, and who they are known by."""

    mllp_port: int | None = Field(
        None,
        alias="WARMTHREAD_MLLP_PORT",
        ge=1,
        le=65535,
        description="port that takes HL7 by MLLP; empty: none is taken this way",
    )
    mllp_bind: str = Field(
        "127.0.0.1",
        alias="WARMTHREAD_MLLP_BIND",
        description="address the MLLP port listens on; any but one of this machine alone demands TLS",
    )
    mllp_cert: Path | None = Field(
        None,
        alias="WARMTHREAD_MLLP_CERT",
        description="path of the MLLP port's certificate chain in PEM; empty: no TLS",
    )
    mllp_key: Path | None = Field(
        None, alias="WARMTHREAD_MLLP_KEY", description="path of the private key of that certificate in PEM"
    )
    mllp_client_ca: Path | None = Field(
        None,
        alias="WARMTHREAD_MLLP_CLIENT_CA",
        description="path of the authorities in PEM whose client certificates may send by MLLP",
    )

    @model_validator(mode="after")
    def _sealed_or_on_this_machine(self) -> Self:
        files = [self.mllp_cert, self.mllp_key, self.mllp_client_ca]
        if any(files) and not all(files):
            raise ValueError(f"{TOGETHER} are needed together: HL7 by TLS is taken from known certificates alone")
        try:
            here = ipaddress.ip_address(self.mllp_bind.strip("[]")).is_loopback
        except ValueError:
            raise ValueError("WARMTHREAD_MLLP_BIND must be an IP address of this machine, such as 127.0.0.1") from None
        if self.mllp_port and not here and not self.mllp_cert:
            raise ValueError(f"WARMTHREAD_MLLP_BIND is for others to reach, so {TOGETHER} are demanded: no plain text")
        return self
