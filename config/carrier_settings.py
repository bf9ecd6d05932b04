"""What the operator sets of what the carrier keeps; part of `config.settings`."""

from pydantic import BaseModel, Field, field_validator

ALWAYS = "always"


class CarrierSettings(BaseModel):
    """How long the words of a text may stay at the carrier, once we have them."""

    # Three days: whoever restores last night's backup, or that of the night before, finds all texts since in the
    # carrier's list (messaging.delivery.recovering, webhooks.missed_texts).
    carrier_keeps_hours: int | None = Field(
        72,
        alias="WARMTHREAD_CARRIER_KEEPS_HOURS",
        ge=0,
        le=24 * 400,
        description="hours after which a text's words are emptied at the carrier, longer than from one backup to the"
        " next; always: it keeps them",
    )

    @field_validator("carrier_keeps_hours", mode="before")
    @classmethod
    def _always_is_no_number(cls, value: object) -> object:
        return None if value == ALWAYS else value
