"""What the operator sets of the self-check; part of `config.settings`."""

from pydantic import BaseModel, Field, SecretStr, field_validator

from config import addresses


class SelfCheckSettings(BaseModel):
    """Where a self-check begins, and who outside hears that it came through, and misses it when none does."""

    self_check_url: SecretStr | None = Field(
        None,
        alias="WARMTHREAD_SELF_CHECK_URL",
        description="address posted to, with nothing, after each self-check that came through; empty: none",
    )

    self_check_door: str = Field(
        "",
        alias="WARMTHREAD_SELF_CHECK_DOOR",
        description="address by which the self-check reaches the web server; empty: the public one",
    )

    @field_validator("self_check_door")
    @classmethod
    def _self_check_door_is_an_address(cls, value: str) -> str:
        return addresses.web(value) if value else value

    @field_validator("self_check_url")
    @classmethod
    def _self_check_url_is_an_address(cls, value: SecretStr | None) -> SecretStr | None:
        return SecretStr(addresses.web(value.get_secret_value())) if value and value.get_secret_value() else None
