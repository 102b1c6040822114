"""Standard logging, set up once: text for people or one JSON object a line, with where it came from."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Literal, TextIO

from core.scope import current

FieldSource = Callable[[], Mapping[str, object]]

# Chatty at INFO about things that are no news to an operator.
_QUIET = ("discord.client", "discord.voice_state", "aiohttp.access", "peewee.migrations")


def scope_fields() -> Mapping[str, object]:
    """Return the plugin, guild and hook on whose behalf this task runs; nothing outside of them."""
    scope = current.get()
    return {"plugin": scope.plugin, "guild": scope.guild_id, "hook": scope.hook} if scope else {}


def configure_logging(
    level: str = "INFO",
    style: Literal["text", "json"] = "text",
    *,
    fields: FieldSource = scope_fields,
    secrets: tuple[str, ...] = (),
    stream: TextIO | None = None,
) -> None:
    """Send all log records of the process to `stream`, replacing what was set up before.

    :param level: the lowest level that is shown, for example "INFO".
    :param style: text for people, json for collectors.
    :param fields: asked at every record what else to show.
    :param secrets: texts that are replaced by *** wherever they appear, tracebacks included.
    :param stream: standard error by default.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.addFilter(_FieldFilter(fields))
    if level != "DEBUG":
        handler.addFilter(_NoReconnectTraces())
    handler.setFormatter(JsonFormatter(secrets) if style == "json" else TextFormatter(secrets))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.captureWarnings(True)
    quiet = max(logging.WARNING, logging.getLevelNamesMapping()[level])
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.NOTSET if level == "DEBUG" else quiet)


class _NoReconnectTraces(logging.Filter):
    """Takes the traceback off discord.py's word that it reconnects: the sentence says enough."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info and str(record.msg).startswith("Attempting a reconnect"):
            error = record.exc_info[1]
            record.msg = f"{record.getMessage()} ({type(error).__name__})"
            record.args, record.exc_info, record.levelno, record.levelname = (
                (),
                None,
                logging.WARNING,
                "WARNING",
            )
        return True


class _FieldFilter(logging.Filter):
    """Adds the fields to each record in the task that logs it, where the context is still known."""

    def __init__(self, fields: FieldSource) -> None:
        super().__init__()
        self._fields = fields

    def filter(self, record: logging.LogRecord) -> bool:
        record.fields = {name: value for name, value in self._fields().items() if value is not None}
        return True


class _Redacting(logging.Formatter):
    def __init__(self, secrets: tuple[str, ...]) -> None:
        super().__init__()
        # The longest first: one secret may be part of another.
        self._secrets = sorted((secret for secret in secrets if secret), key=len, reverse=True)

    def redact(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text

    def trace(self, record: logging.LogRecord) -> str | None:
        """Return the record's traceback and stack as text, None when it has neither."""
        parts = []
        if record.exc_info:
            parts.append(self.formatException(record.exc_info))
        if record.stack_info:
            parts.append(self.formatStack(record.stack_info))
        return "\n".join(parts) or None


class TextFormatter(_Redacting):
    """`2026-09-06 18:00:00Z INFO    core.bot [plugin=payroll guild=1] words`."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
        fields = " ".join(f"{name}={value}" for name, value in getattr(record, "fields", {}).items())
        where = f" [{fields}]" if fields else ""
        line = f"{at} {record.levelname:<7} {record.name}{where} {record.getMessage()}"
        trace = self.trace(record)
        return self.redact(f"{line}\n{trace}" if trace else line)


class JsonFormatter(_Redacting):
    """One JSON object a line: at, level, logger, message, the fields, and `trace` after an exception."""

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": self.redact(record.getMessage()),
        }
        entry.update(getattr(record, "fields", {}))
        if trace := self.trace(record):
            entry["trace"] = self.redact(trace)
        return json.dumps(entry, ensure_ascii=False, default=str)
