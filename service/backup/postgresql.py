"""A PostgreSQL database as bytes, by pg_dump and pg_restore in their own format; nothing lies on a disk in between."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import URL, inspect, make_url, text

from config import db
from service import database_roles
from service.backup.envelope import CHUNK, BadBackup

CONNECTION = {"username": "PGUSER", "host": "PGHOST", "port": "PGPORT", "database": "PGDATABASE"}
QUERY = {
    "host": "PGHOST", "port": "PGPORT", "sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT", "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY", "user": "PGUSER", "dbname": "PGDATABASE",
}  # fmt: skip
# What migration 0070 has made beside the tables.
FUNCTIONS = ("audit_line_stays", "audit_head_goes_on")
INHERITED = ("PATH", "HOME", "LANG", "TZ", "LD_LIBRARY_PATH", "SYSTEMROOT", "TMPDIR")


class ToolFailed(Exception):
    """pg_dump or pg_restore is missing, or says that it could not do its work; the text is its own first line."""


@contextmanager
def dumped() -> Iterator[tuple[int, Iterable[bytes]]]:
    """Yield about how many bytes there will be, and the bytes. Raises ToolFailed as they end."""
    with db.engine().connect() as connection:
        size = int(connection.scalar(text("SELECT pg_database_size(current_database())")) or 0)
    yield size, _dump()


def _dump() -> Iterator[bytes]:
    # A role that the walls between clinics bind sees every clinic, as our own drains do, by naming none.
    command = ["pg_dump", "--format=custom", "--no-owner", "--no-privileges", "--enable-row-security", "--no-password"]
    with tempfile.TemporaryFile() as errors, _environment() as env:
        with _started(command, env, stdout=subprocess.PIPE, stderr=errors) as process:
            assert process.stdout is not None
            while piece := process.stdout.read(CHUNK):
                yield piece
        _judge("pg_dump", process.returncode, errors)


def check(content: Iterable[bytes]) -> None:
    """Have pg_restore read the whole of a dump, without a database. Raises BadBackup, ToolFailed."""
    try:
        _feed(["pg_restore", "--file=-"], content, {name: os.environ[name] for name in INHERITED if name in os.environ})
    except ToolFailed as failed:
        raise BadBackup(f"what it holds is no whole dump: {failed}") from None


def load(content: Iterable[bytes]) -> None:
    """Put this dump in place of all tables there are. Raises BadBackup, ToolFailed; then nothing is there."""
    empty()
    words = ("--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges", "--no-password")
    with _environment() as env:
        _feed(["pg_restore", *words, f"--dbname={env['PGDATABASE']}"], content, env)
    db.engine().dispose()
    database_roles.renew()


def empty() -> None:
    """Take every table away, and what watches over some of them."""
    with db.engine().begin() as connection:
        quote = connection.dialect.identifier_preparer.quote
        for function in FUNCTIONS:
            connection.execute(text(f"DROP FUNCTION IF EXISTS {function}() CASCADE"))
        for table in inspect(connection).get_table_names():
            connection.execute(text(f"DROP TABLE {quote(table)} CASCADE"))


def _feed(command: list[str], content: Iterable[bytes], env: Mapping[str, str]) -> None:
    with tempfile.TemporaryFile() as errors:
        kept = {"stdin": subprocess.PIPE, "stdout": subprocess.DEVNULL, "stderr": errors}
        with _started(command, env, **kept) as process:
            assert process.stdin is not None
            try:
                with suppress(BrokenPipeError):  # it says on standard error why it has gone
                    for piece in content:
                        process.stdin.write(piece)
            except BaseException:
                process.kill()
                raise
            with suppress(BrokenPipeError):
                process.stdin.close()
        _judge(command[0], process.returncode, errors)


def _started(command: list[str], env: Mapping[str, str], **kept: object) -> "subprocess.Popen[bytes]":
    program = shutil.which(command[0])
    if program is None:
        raise ToolFailed(f"{command[0]} was not found: install PostgreSQL's client programs, of its server's version")
    return subprocess.Popen([program, *command[1:]], env=env, **kept)  # type: ignore[call-overload, no-any-return]


def _judge(name: str, code: int, errors: object) -> None:
    if code == 0:
        return
    errors.seek(0)  # type: ignore[attr-defined]
    lines = errors.read().decode("utf-8", "replace").splitlines()  # type: ignore[attr-defined]
    # Its first complaint alone: what follows may quote a row.
    said = next((line for line in lines if "error:" in line), f"it ended with {code}")
    raise ToolFailed(f"{name}: {said.partition('error:')[2].strip() or said}"[:300])


@contextmanager
def _environment() -> Iterator[dict[str, str]]:
    """Yield the environment by which PostgreSQL's programs find the database; a password is in a file for us alone."""
    url = make_url(db.database_url())
    env = {name: os.environ[name] for name in INHERITED if name in os.environ}
    env |= {QUERY[name]: str(value) for name, value in url.query.items() if name in QUERY}
    env |= {variable: str(value) for name, variable in CONNECTION.items() if (value := getattr(url, name))}
    env["PGOPTIONS"] = "-c app.clinic=*"
    with tempfile.TemporaryDirectory(prefix="warmthread-pg-") as folder:
        if url.password:
            env["PGPASSFILE"] = str(_password_file(Path(folder, "pass"), url))
        yield env


def _password_file(path: Path, url: URL) -> Path:
    escaped = str(url.password).replace("\\", "\\\\").replace(":", "\\:")
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(f"*:*:*:*:{escaped}\n")
    return path
