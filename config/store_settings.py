"""What the operator sets of the database and the queue; part of `config.settings`."""

from typing import Self

from pydantic import BaseModel, Field, field_validator, model_validator

from config import addresses


class StoreSettings(BaseModel):
    """Where the data and the doorbells are, and whether the way there may be in clear."""

    database_url: str = Field(
        "", alias="DATABASE_URL", description="PostgreSQL or SQLite address; empty: SQLite in the data directory"
    )
    reports_database_url: str = Field(
        "",
        alias="WARMTHREAD_REPORTS_DATABASE_URL",
        description="PostgreSQL address of a database that follows it, for what reads much; empty: the database itself",
    )
    redis_url: str = Field(
        "", alias="REDIS_URL", description="Redis or Valkey address; empty: a private Valkey in the data directory"
    )
    plain_network: bool = Field(
        False,
        alias="WARMTHREAD_PLAIN_NETWORK",
        description="whether database and queue on other machines may be reached without TLS: a network of yours alone",
    )

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        if value.startswith(("postgres://", "postgresql://")):
            return "postgresql+psycopg://" + value.split("://", 1)[1]
        if value and not value.startswith(("postgresql+psycopg://", "sqlite:///")):
            raise ValueError("must start with postgresql:// or sqlite:///")
        return value

    @field_validator("reports_database_url")
    @classmethod
    def _known_reports_database(cls, value: str) -> str:
        if value.startswith("sqlite"):
            raise ValueError("must start with postgresql://")
        return cls._known_database(value)

    @field_validator("redis_url")
    @classmethod
    def _known_redis(cls, value: str) -> str:
        if value and not value.startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("must start with redis://, rediss:// or unix://")
        return value

    @model_validator(mode="after")
    def _no_patient_over_a_network_in_clear(self) -> Self:
        if self.reports_database_url and self.embedded_database:
            raise ValueError("WARMTHREAD_REPORTS_DATABASE_URL needs DATABASE_URL to be PostgreSQL: it follows that one")
        remedies = {
            "DATABASE_URL": (self.database_url, "add sslmode=verify-full"),
            "WARMTHREAD_REPORTS_DATABASE_URL": (self.reports_database_url, "add sslmode=verify-full"),
            "REDIS_URL": (self.redis_url, "write rediss://, without ssl_cert_reqs"),
        }
        for name, (address, remedy) in remedies.items():
            if not self.plain_network and addresses.crosses_a_network(address) and not addresses.by_tls(address):
                other = "or WARMTHREAD_PLAIN_NETWORK=true where that network is yours alone"
                raise ValueError(
                    f"{name} leads to another machine without TLS and a certificate that is verified: {remedy}, {other}"
                )
        return self

    @property
    def embedded_database(self) -> bool:
        """Whether SQLite on this machine holds the data: then every process must run on this machine."""
        return not self.database_url or self.database_url.startswith("sqlite")

    @property
    def embedded_queue(self) -> bool:
        """Whether we start and own the Valkey server."""
        return not self.redis_url
