"""Two roles on PostgreSQL: one owns the tables and migrates them, the service works as another that owns nothing.

The service's role reads and writes rows, and of the audit log it may add lines, read them and seal each once: it cannot
change or take one away, nor undo what forbids it (migration 0070), nor the walls between clinics.
"""

from collections.abc import Iterator

from psycopg import sql
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from config import db
from config.settings import SettingsError

# What the service's role may do with tables that are not its own business alone.
OF_TABLES = {
    "audit_entry": "SELECT, INSERT, UPDATE (seq, prev, hash)",
    "audit_head": "SELECT, INSERT, UPDATE (seq, hash, signed_seq, signed_at)",
    "alembic_version": "SELECT",
}
ROWS = "SELECT, INSERT, UPDATE, DELETE"
AUDIT = ("audit_entry", "audit_head")


class NoRoles(Exception):
    """The roles cannot be set up so; the text says why and what to do."""


def set_up(role: str, password: str | None = None) -> None:
    """Give `role` what the service needs and nothing more; make it if it is not there, with `password` if one is given.

    The role of this process owns the tables. Raises NoRoles.
    """
    if db.engine().dialect.name != "postgresql":
        raise NoRoles("SQLite has no roles: whoever has the file has everything")
    try:
        with db.engine().begin() as connection:
            _refuse_who_does_not_own(connection)
            _make(connection, role, password)
            _refuse_what_stands_above(connection, role)
            _grant(connection, role)
    except DBAPIError as error:
        raise NoRoles(f"PostgreSQL refused: {str(error.orig).splitlines()[0]}") from None


def renew() -> None:
    """Give the service's roles their rights again: tables made anew have other ones. Without such roles, nothing."""
    if db.engine().dialect.name != "postgresql":
        return
    with db.engine().begin() as connection:
        if _owner(connection) == connection.scalar(text("SELECT current_user")):
            for role in of_the_service(connection):
                _grant(connection, role)


def of_the_service(connection: Connection) -> list[str]:
    """Return the roles that were set up: those to which the owner gives what it will make."""
    query = "SELECT DISTINCT given.grantee::regrole::text FROM pg_default_acl, aclexplode(defaclacl) AS given"
    query += " WHERE defaclobjtype = 'r' AND given.privilege_type = 'INSERT' AND given.grantee NOT IN (0, defaclrole)"
    return [str(name).strip('"') for name in connection.scalars(text(query))]


def too_much(connection: Connection) -> list[str]:
    """Return what the role of this process may do and the service's should not, a sentence each."""
    if connection.dialect.name != "postgresql" or not inspect(connection).has_table("audit_entry"):
        return []
    return list(_sentences(connection))


def _sentences(connection: Connection) -> Iterator[str]:
    role = connection.scalar(text("SELECT current_user"))
    owned = "SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace"
    if connection.scalar(text(owned + " AND pg_has_role(current_user, relowner, 'USAGE')")):
        yield (
            f"the role {role} in DATABASE_URL owns the tables, so the audit log and the walls between clinics are"
            " its own to change: set up another by `warmthread db roles`"
        )
        return
    for table in AUDIT:
        for right in ("UPDATE", "DELETE", "TRUNCATE"):
            asked = text("SELECT has_table_privilege(:table, :right)")
            if connection.scalar(asked, {"table": table, "right": right}):
                remedy = f"run `warmthread db roles {role}` as the owner"
                yield f"the role {role} in DATABASE_URL may {right} {table}: {remedy}"


def problems() -> list[str]:
    """Return what `doctor` says of the role that the service works as."""
    try:
        with db.engine().connect() as connection:
            return too_much(connection)
    except SQLAlchemyError:
        return []  # that it does not answer is said elsewhere


def refuse_owner() -> None:
    """Raise SettingsError where roles were set up and a process that serves comes as one that may do more.

    A database that cannot be asked now proves nothing, and is said elsewhere.
    """
    if db.engine().dialect.name != "postgresql":
        return
    try:
        with db.engine().connect() as connection:
            found = too_much(connection) if of_the_service(connection) else []
    except SQLAlchemyError:
        found = []
    finally:
        db.engine().dispose()  # nothing is open when this process begins others
    if found:
        raise SettingsError([f"DATABASE_URL: {problem}" for problem in found])


def _owner(connection: Connection) -> str | None:
    query = "SELECT relowner::regrole::text FROM pg_class WHERE oid = to_regclass('alembic_version')"
    owner: str | None = connection.scalar(text(query))
    return owner.strip('"') if owner else None


def _refuse_who_does_not_own(connection: Connection) -> None:
    owner, here = _owner(connection), connection.scalar(text("SELECT current_user"))
    if owner is None:
        raise NoRoles("there are no tables yet: run `warmthread db upgrade` first, as the role that is to own them")
    if owner != here:
        raise NoRoles(f"the tables belong to {owner}, and DATABASE_URL names {here}: run this as {owner}")


def _make(connection: Connection, role: str, password: str | None) -> None:
    there = connection.scalar(text("SELECT true FROM pg_roles WHERE rolname = :role"), {"role": role})
    may = connection.scalar(text("SELECT rolcreaterole OR rolsuper FROM pg_roles WHERE rolname = current_user"))
    if (not there or password) and not may:
        verb = "change the password of" if there else "make"
        raise NoRoles(
            f"this role may not {verb} {role}: have an administrator run"
            f" CREATE ROLE {role} LOGIN NOSUPERUSER NOBYPASSRLS PASSWORD '...', and run this again without one"
        )
    if not there:
        _run(connection, "CREATE ROLE {role} LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE", role)
    if password:
        # Hashed here, so that no log of the server has it.
        raw = connection.connection.driver_connection
        assert raw is not None
        hashed = raw.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
        _run(connection, "ALTER ROLE {role} PASSWORD {password}", role, password=sql.Literal(hashed))


def _refuse_what_stands_above(connection: Connection, role: str) -> None:
    query = "SELECT rolsuper OR rolbypassrls AS above, pg_has_role(oid, current_user, 'MEMBER') AS owner FROM pg_roles"
    row = connection.execute(text(f"{query} WHERE rolname = :role"), {"role": role}).one()
    if row.above or row.owner:
        what = "is a superuser or passes row-level security" if row.above else "is the owner, or a member of it"
        raise NoRoles(f"the role {role} {what}: choose another")


def _grant(connection: Connection, role: str) -> None:
    _run(connection, "GRANT USAGE ON SCHEMA {schema} TO {role}", role)
    _run(connection, "REVOKE CREATE ON SCHEMA {schema} FROM {role}", role)
    for table in inspect(connection).get_table_names():
        named = sql.Identifier(table)
        _run(connection, "REVOKE ALL ON {table} FROM {role}", role, table=named)
        _run(connection, f"GRANT {OF_TABLES.get(table, ROWS)} ON {{table}} TO {{role}}", role, table=named)
    _run(connection, f"ALTER DEFAULT PRIVILEGES IN SCHEMA {{schema}} GRANT {ROWS} ON TABLES TO {{role}}", role)


def _run(connection: Connection, statement: str, role: str, **named: sql.Composable) -> None:
    schema = str(connection.scalar(text("SELECT current_schema()")))
    raw = connection.connection.driver_connection
    composed = sql.SQL(statement).format(role=sql.Identifier(role), schema=sql.Identifier(schema), **named)
    connection.exec_driver_sql(composed.as_string(raw).replace("%", "%%"))
