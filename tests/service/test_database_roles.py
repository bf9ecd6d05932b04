"""On PostgreSQL the service works as a role that owns nothing: it does all its work, and what is written stays."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from click.testing import CliRunner
from sqlalchemy import create_engine, make_url, select, text
from sqlalchemy.exc import DBAPIError

from config import audit, audit_heads, db, runtime, settings
from config.settings import SettingsError
from messaging.models import Clinic, Patient
from messaging.people import directory
from reminders.shredding import carrying_out
from service import database_roles, migrations
from service.backup import postgresql
from service.cli import cli
from tests.service.backup.test_backups import _programs  # noqa: F401 - the fixture

on_postgresql = pytest.mark.parametrize("house", ["postgresql"], indirect=True)
# What somebody who has taken over the service would try.
TRIED = (
    "UPDATE audit_entry SET act = 'nothing.happened'",
    "UPDATE audit_entry SET seq = seq + 1",
    "UPDATE audit_entry SET hash = repeat('0', 64)",
    "DELETE FROM audit_entry",
    "TRUNCATE audit_entry",
    "UPDATE audit_head SET seq = 0",
    "UPDATE audit_head SET hash = repeat('0', 64)",
    "DELETE FROM audit_head",
    "ALTER TABLE audit_entry DISABLE TRIGGER ALL",
    "DROP TRIGGER audit_line_stays ON audit_entry",
    "DROP POLICY one_clinic ON patient",
    "ALTER TABLE patient DISABLE ROW LEVEL SECURITY",
    "CREATE OR REPLACE FUNCTION audit_line_stays() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'",
    "DROP TABLE audit_entry",
    "CREATE TABLE aside (id int)",
    "UPDATE alembic_version SET version_num = '0001'",
    "SET session_replication_role = 'replica'",
)


@pytest.fixture
def role(house: settings.Settings) -> Iterator[str]:
    """The name of a role for the service, on a database of the newest migration; gone with the test."""
    with db.engine().begin() as connection:
        db.Base.metadata.drop_all(connection)
    migrations.upgrade()
    name = f"service_{uuid4().hex[:8]}"
    yield name
    become(house)
    with db.engine().begin() as connection:
        if connection.scalar(text("SELECT true FROM pg_roles WHERE rolname = :name"), {"name": name}):
            connection.execute(text(f"DROP OWNED BY {name}"))
            connection.execute(text(f"DROP ROLE {name}"))


def become(house: settings.Settings, role: str | None = None) -> None:
    """Let this process work as `role`, or as the owner again."""
    db.engine().dispose()
    url = make_url(house.database_url)
    if role:
        url = url.set(username=role, password="a password of its own")
    address = url.render_as_string(hide_password=False)
    runtime.configure(house.model_copy(update={"database_url": address}))


@on_postgresql
def test_the_roles_that_deploy_makes_are_an_owner_and_one_that_owns_nothing(house: settings.Settings) -> None:
    """The very statements of deploy/postgresql, then what compose and Kubernetes run as the owner."""
    script = (Path(__file__).parents[2] / "deploy/postgresql/10-role.sh").read_text("utf-8")
    name = f"w{uuid4().hex[:8]}"
    statements = script.partition("<<'SQL'\n")[2].partition("\nSQL")[0].replace("warmthread", name)
    for password in (":'owner_password'", ":'password'"):
        statements = statements.replace(password, "'a password of its own'")
    admin = create_engine(make_url(house.database_url), isolation_level="AUTOCOMMIT")
    try:
        with admin.connect() as connection:
            for statement in filter(None, map(str.strip, statements.split(";"))):
                connection.execute(text(statement))
        address = make_url(house.database_url).set(database=name).render_as_string(hide_password=False)
        there = house.model_copy(update={"database_url": address})
        become(there, name)
        migrations.upgrade()
        database_roles.set_up(f"{name}_service")
        become(there, f"{name}_service")
        database_roles.refuse_owner()
        assert database_roles.problems() == []
        a_clinic()
        assert migrations.at_head()
    finally:
        become(house)
        with admin.connect() as connection:
            connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
            for role in (f"{name}_service", name):
                connection.execute(text(f"DROP ROLE IF EXISTS {role}"))
        admin.dispose()


def a_clinic() -> tuple[Clinic, Patient]:
    with db.unit_of_work(db.EVERY) as session:
        clinic = directory.add_clinic(
            session, name="Cedar", zone="America/Denver", number="+13035550100", phone="+13035550101"
        )
        record = directory.PatientRecord("R1", "Rosa", "Vance", "+13035550102", None)
        return clinic, directory.save_patient(session, clinic, record)[0]


@on_postgresql
def test_the_service_s_role_writes_seals_signs_verifies_and_destroys_a_record(
    house: settings.Settings, role: str
) -> None:
    database_roles.set_up(role, "a password of its own")
    become(house, role)
    clinic, patient = a_clinic()
    assert audit.seal() > 0
    assert audit_heads.send() == 1
    with db.unit_of_work(clinic.id) as session:
        who = session.get_one(Clinic, clinic.id), session.get_one(Patient, patient.id)
        assert carrying_out.shred(session, *who, "operator:ada")
    assert audit.seal() > 0
    with db.unit_of_work(clinic.id, read_only=True) as session:
        assert list(audit.verify(session, clinic.id)) == []
        assert list(audit_heads.compare(session, audit_heads.path().read_text().splitlines())) == []
        assert "patient.shredded" in session.scalars(select(audit.AuditEntry.act)).all()


@on_postgresql
def test_nothing_that_is_written_can_be_changed_by_it_and_no_wall_taken_down(
    house: settings.Settings, role: str
) -> None:
    database_roles.set_up(role, "a password of its own")
    become(house, role)
    clinic, _ = a_clinic()
    audit.seal()
    for statement in TRIED:
        with pytest.raises(DBAPIError), db.unit_of_work(db.EVERY) as session:  # noqa: PT012 - the session is how
            session.execute(text(statement))
            pytest.fail(statement)
    with db.unit_of_work(clinic.id, read_only=True) as session:
        assert list(audit.verify(session, clinic.id)) == []


@on_postgresql
def test_a_sealed_line_stays_even_where_the_owner_is_asked(house: settings.Settings, role: str) -> None:
    a_clinic()
    audit.seal()
    for statement in (*TRIED[:8], "UPDATE audit_head SET signed_seq = -1"):
        with pytest.raises(DBAPIError, match="audit log"), db.unit_of_work(db.EVERY) as session:
            session.execute(text(statement))


@on_postgresql
def test_once_set_up_nobody_serves_as_the_owner_and_doctor_says_who_may_too_much(
    house: settings.Settings, role: str
) -> None:
    database_roles.refuse_owner()  # nobody has set anything up: it works as it did
    assert any("owns the tables" in problem for problem in database_roles.problems())
    database_roles.set_up(role, "a password of its own")
    with pytest.raises(SettingsError, match="warmthread db roles"):
        database_roles.refuse_owner()
    with db.engine().begin() as connection:
        connection.execute(text(f"GRANT DELETE ON audit_entry TO {role}"))
    become(house, role)
    [problem] = database_roles.problems()
    assert "may DELETE audit_entry" in problem
    with pytest.raises(SettingsError, match="may DELETE"):
        database_roles.refuse_owner()
    become(house)
    database_roles.renew()
    become(house, role)
    assert database_roles.problems() == []
    database_roles.refuse_owner()


@on_postgresql
def test_what_cannot_be_the_service_s_role_is_refused_in_words(house: settings.Settings, role: str) -> None:
    owner = make_url(house.database_url).username
    assert owner is not None
    with pytest.raises(database_roles.NoRoles, match="choose another"):
        database_roles.set_up(owner)
    database_roles.set_up(role, "a password of its own")
    become(house, role)
    with pytest.raises(database_roles.NoRoles, match=f"run this as {owner}"):
        database_roles.set_up(role)


@on_postgresql
def test_the_command_sets_it_up_as_often_as_one_likes(
    house: settings.Settings, role: str, tmp_path: Path, monkeypatch: Any
) -> None:
    secret = tmp_path / "password"
    secret.write_text("a password of its own\n")
    for name, value in {
        "DATABASE_URL": house.database_url.replace("postgresql+psycopg", "postgresql"),
        "TWILIO_ACCOUNT_SID": house.twilio_account_sid,
        "TWILIO_AUTH_TOKEN": "a token for tests",
        "WARMTHREAD_PUBLIC_URL": house.public_url,
        "WARMTHREAD_DATA_DIR": str(house.data_dir),
    }.items():
        monkeypatch.setenv(name, value)
    for more in (["--password-file", str(secret)], []):
        db.engine().dispose()
        ended = CliRunner().invoke(cli, ["db", "roles", role, *more])
        assert ended.exit_code == 0, ended.output
    become(house, role)
    assert a_clinic()
    with db.engine().connect() as connection:
        assert connection.scalar(text("SELECT current_user")) == role


def test_on_sqlite_there_are_no_roles_and_nothing_is_said(house: settings.Settings) -> None:
    with pytest.raises(database_roles.NoRoles, match="SQLite"):
        database_roles.set_up("anybody")
    assert database_roles.problems() == []
    database_roles.refuse_owner()


@on_postgresql
def test_a_restored_database_has_its_roles_and_its_triggers_again(house: settings.Settings, role: str) -> None:
    database_roles.set_up(role, "a password of its own")
    a_clinic()
    audit.seal()
    with postgresql.dumped() as (_, content):
        kept = list(content)
    postgresql.load(kept)
    become(house, role)
    assert database_roles.problems() == []
    for statement in TRIED[:5]:
        with pytest.raises(DBAPIError), db.unit_of_work(db.EVERY) as session:
            session.execute(text(statement))
    a_line = audit.seal()
    assert a_line == 0
