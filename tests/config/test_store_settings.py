"""Whether the way to the database and the queue may be in clear."""

import pytest

from config import settings
from tests.config.test_settings import GOOD

PLAIN = [
    ("DATABASE_URL", "postgresql://u:p@db.clinic.example:5432/d"),
    ("DATABASE_URL", "postgresql://u:p@10.0.0.7/d?sslmode=prefer"),
    ("DATABASE_URL", "postgresql://u:p@10.0.0.7/d?sslmode=require"),
    ("REDIS_URL", "rediss://:secret@queue.clinic.example:6379/0?ssl_cert_reqs=none"),
    ("DATABASE_URL", "postgresql://u@127.0.0.1:5432,10.0.0.7:5432/d"),
    ("DATABASE_URL", "postgresql:///d?host=db.clinic.example"),
    ("DATABASE_URL", "postgresql://u@[fd00::7]:5432/d"),
    ("REDIS_URL", "redis://:secret@queue.clinic.example:6379/0"),
]


@pytest.mark.parametrize(("name", "address"), PLAIN)
def test_no_database_or_queue_on_another_machine_is_reached_in_clear_unless_the_operator_says_so(
    name: str, address: str
) -> None:
    with pytest.raises(settings.SettingsError, match=f"{name} leads to another machine without TLS"):
        settings.load(GOOD | {name: address})
    assert settings.load(GOOD | {name: address, "WARMTHREAD_PLAIN_NETWORK": "true"}).plain_network


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("DATABASE_URL", "postgresql://u:p@db.clinic.example/d?sslmode=verify-full"),
        ("DATABASE_URL", "postgresql://u:p@db.clinic.example/d?sslmode=verify-ca&sslrootcert=/etc/ca.pem"),
        ("DATABASE_URL", "postgresql:///d?host=/var/run/postgresql"),
        ("DATABASE_URL", "postgresql://u@[::1]:5432/d"),
        ("DATABASE_URL", "postgresql://u@127.0.0.2/d"),
        ("DATABASE_URL", "sqlite:///d.sqlite3"),
        ("REDIS_URL", "rediss://:secret@queue.clinic.example:6379/0"),
        ("REDIS_URL", "unix:///run/valkey.sock"),
        ("REDIS_URL", "redis://127.0.0.1:6379/0"),
    ],
)
def test_what_stays_on_this_machine_or_goes_by_tls_is_taken(name: str, address: str) -> None:
    assert settings.load(GOOD | {name: address})
