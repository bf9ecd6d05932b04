"""What the doctor says about the database's second wall."""

import pytest
from sqlalchemy import make_url, text

from config import db, runtime, settings
from service import health


@pytest.fixture
def connect(database_url, tmp_path):
    def as_role(url: str) -> None:
        environ = {
            "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
            "TWILIO_AUTH_TOKEN": "a token of the tests",
            "WARMTHREAD_PUBLIC_URL": "https://clinic.example",
            "WARMTHREAD_DATA_DIR": str(tmp_path),
            "DATABASE_URL": url,
        }
        runtime.configure(settings.load(environ))

    yield as_role
    db.engine().dispose()


def test_a_superuser_is_no_role_for_the_service(connect, database_url):
    connect(make_url(database_url).render_as_string(hide_password=False))
    assert "superuser" in health.second_wall()[0]


def test_a_plain_role_is_well(connect, database_url):
    connect(make_url(database_url).render_as_string(hide_password=False))
    with db.engine().begin() as connection:
        connection.execute(text("DROP ROLE IF EXISTS plain_role"))
        connection.execute(text("CREATE ROLE plain_role LOGIN"))
    db.engine().dispose()
    connect(make_url(database_url).set(username="plain_role").render_as_string(hide_password=False))
    assert health.second_wall() == []
