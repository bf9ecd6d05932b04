"""One history of the database, and at its end exactly the tables the models describe. Last, because it is slow."""

from datetime import UTC, datetime

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import select, text

from config import db
from config.db import latest
from messaging.models import Message
from service import migrations

# What no model can say for both databases: a summary of stretches of a table, which SQLite does not have.
ONLY_ON_POSTGRESQL = ("ix_message_changed",)
both = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)


def start_empty() -> None:
    with db.engine().begin() as connection:
        db.Base.metadata.drop_all(connection)


def test_the_history_has_one_end():
    assert len(migrations.heads()) == 1


@both
def test_after_every_migration_the_tables_are_those_of_the_models(house):
    start_empty()
    assert not migrations.at_head()
    migrations.upgrade()
    assert migrations.at_head()
    with db.engine().connect() as connection:
        opts = {"compare_type": True, "include_name": lambda name, kind, _: name not in ONLY_ON_POSTGRESQL}
        context = MigrationContext.configure(connection, opts=opts)
        assert compare_metadata(context, db.Base.metadata) == []


@pytest.mark.parametrize("house", ["postgresql"], indirect=True)
def test_postgresql_finds_what_has_changed_by_a_summary_of_the_table(house):
    start_empty()
    migrations.upgrade()
    changed = latest.latest((Message.created_at, Message.sent_at, Message.delivered_at, Message.emptied_at))
    asked = select(Message.id).where(changed > datetime(2027, 3, 15, tzinfo=UTC))
    with db.unit_of_work(db.EVERY) as session:
        session.execute(text("SET LOCAL enable_seqscan = off"))
        statement = asked.compile(db.engine(), compile_kwargs={"literal_binds": True})
        assert "ix_message_changed" in "".join(session.scalars(text(f"EXPLAIN {statement}")))


@both
def test_migrating_twice_changes_nothing(house):
    start_empty()
    migrations.upgrade()
    migrations.upgrade()
    assert migrations.at_head()


@pytest.mark.parametrize("house", ["postgresql"], indirect=True)
def test_postgresql_shows_a_session_its_own_clinic_and_nothing_before_it_names_one(house):
    start_empty()
    migrations.upgrade()
    clinics = {name: db.new_id() for name in ("cedar", "elm")}
    with db.unit_of_work(db.EVERY) as session:
        role = session.scalar(text("SELECT 'app_' || md5(current_database())"))
        session.execute(text(f"CREATE ROLE {role}"))
        session.execute(text(f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}"))
        for clinic_id in clinics.values():
            row = {"id": db.new_id(), "clinic": clinic_id, "now": "2026-07-01T00:00:00Z"}
            session.execute(
                text("INSERT INTO data_key (id, clinic_id, wrapped, created_at) VALUES (:id, :clinic, '', :now)"),
                row,
            )
    try:
        assert visible(role, str(clinics["cedar"])) == [clinics["cedar"]]
        assert visible(role, "*") == sorted(clinics.values())
        assert visible(role, None) == []
    finally:
        with db.unit_of_work(db.EVERY) as session:
            session.execute(text(f"DROP OWNED BY {role}"))
            session.execute(text(f"DROP ROLE {role}"))


def visible(role: str, clinic: str | None) -> list[object]:
    with db.engine().begin() as connection:
        connection.execute(text(f"SET LOCAL ROLE {role}"))
        if clinic:
            connection.execute(text("SELECT set_config('app.clinic', :clinic, true)"), {"clinic": clinic})
        return list(connection.scalars(text("SELECT clinic_id FROM data_key ORDER BY clinic_id")))


@pytest.mark.parametrize("house", ["postgresql"], indirect=True)
def test_on_postgresql_every_table_of_a_clinic_has_the_wall(house):
    start_empty()
    migrations.upgrade()
    with db.unit_of_work(db.EVERY) as session:
        walled = set(
            session.scalars(
                text("SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity AND relkind = 'r'")
            )
        )
    of_clinics = {t.name for t in db.Base.metadata.tables.values() if "clinic_id" in t.columns} | {"clinic"}
    assert of_clinics - walled == set()
