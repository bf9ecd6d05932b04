"""What the operator sets of e-mail to colleagues; part of `config.settings`."""

from pydantic import BaseModel, Field, SecretStr, ValidationInfo, field_validator

from config import addresses


class MailSettings(BaseModel):
    """Which server takes e-mail to colleagues, and from whom it comes."""

    smtp_url: SecretStr | None = Field(
        None,
        alias="WARMTHREAD_SMTP_URL",
        description="the mail server for colleagues' e-mail, smtps://user:password@host:465; empty: no e-mail",
    )
    # Judged also where it is not said: a mail server needs it.
    mail_from: str = Field(
        "",
        alias="WARMTHREAD_MAIL_FROM",
        validate_default=True,
        description="the address that e-mail to colleagues comes from",
    )

    @field_validator("smtp_url")
    @classmethod
    def _mail_server(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            addresses.judge_mail_server(value.get_secret_value())
        return value

    @field_validator("mail_from")
    @classmethod
    def _sender(cls, value: str, info: ValidationInfo) -> str:
        if value:
            addresses.judge_mailbox(value)
        if not value and info.data.get("smtp_url") is not None:
            raise ValueError("is demanded with WARMTHREAD_SMTP_URL: mail comes from this address")
        return value
