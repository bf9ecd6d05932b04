"""Structured logs in which only names we allow and values that cannot be PHI survive."""

import logging
import re
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any

import structlog

# An allow-list: ids, counts, states and names of our own making. Words, numbers and names of people have no key here.
ALLOWED = frozenset(
    {
        *(
            "event",
            "level",
            "timestamp",
            "component",
            "lane",
            "queue",
            "count",
            "seconds",
            "milliseconds",
            "state",
        ),
        *(
            "kind",
            "code",
            "status",
            "method",
            "route",
            "attempts",
            "error_type",
            "where",
            "pid",
            "port",
            "version",
        ),
        *("clinic_id", "message_id", "item_id", "receipt_id", "reminder_id", "appointment_id", "handoff_id"),
        *("screen_id", "link_id", "staff_id", "problem", "logger", "worker", "restarts", "process"),
        *("exit_code", "restart_in", "killed"),
        *("seq", "hash", "signature", "source", "directive"),
    }
)
_NAME = re.compile(r"^[a-z0-9_.:\- /]{1,120}$")
_ID = re.compile(r"^[0-9a-zA-Z_.:\-]{1,120}$")


def _allow(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    kept: dict[str, Any] = {key: _safe(value) for key, value in event.items() if key in ALLOWED}
    kept["event"] = event["event"] if _NAME.fullmatch(str(event.get("event"))) else "unnamed"
    return kept


def _safe(value: Any) -> Any:
    if isinstance(value, bool | int | float | None):
        return value
    text = str(value)
    return text if _ID.fullmatch(text) and not _could_be_a_number(text) else "withheld"


def _could_be_a_number(text: str) -> bool:
    # Seven digits in a row could be a telephone number, and so could seven with hyphens or dots between them; ids of
    # ours are hexadecimal with hyphens.
    if re.search(r"(?<![0-9a-f-])\+?\d{7,}(?![0-9a-f-])", text):
        return True
    return not re.search(r"[a-zA-Z]", text) and len(re.sub(r"\D", "", text)) >= 7


def _where(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    error = event.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()[1]
    if isinstance(error, tuple):
        error = error[1]
    if isinstance(error, BaseException):
        event["error_type"] = type(error).__name__
        frames = traceback.extract_tb(error.__traceback__)[-3:]
        event["where"] = ":".join(f"{frame.name}.{frame.lineno}" for frame in frames).replace("<", "").replace(">", "")
    return event


class _LibraryHandler(logging.Handler):
    """Passes on that a library spoke, and where, but not what it said: messages of libraries carry arguments."""

    def emit(self, record: logging.LogRecord) -> None:
        fields: dict[str, Any] = {"logger": record.name, "where": f"{record.funcName}.{record.lineno}"}
        if record.exc_info and record.exc_info[1]:
            fields["exc_info"] = record.exc_info[1]
        structlog.get_logger().log(record.levelno, "library", **fields)


def configure(level: str = "info", component: str = "warmthread") -> None:
    """Send JSON lines to standard error, for this process, from `level` upwards."""
    structlog.contextvars.bind_contextvars(component=component)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _where,
            _allow,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=lambda *_names: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers = [_LibraryHandler()]
    root.setLevel(logging.WARNING)


def logger() -> Any:
    """Return the process's logger: `logger().info("event name", lane=..., count=...)`."""
    return structlog.get_logger()
