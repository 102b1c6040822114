"""Logging: both formats, the scope of the running hook, and no secret anywhere."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest

from core.logs import configure_logging
from core.scope import Scope, running


@pytest.fixture(autouse=True)
def _put_back() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)


def test_text_names_plugin_guild_and_hook() -> None:
    stream = io.StringIO()
    configure_logging("INFO", stream=stream)
    log = logging.getLogger("plugins.payroll")
    log.debug("not shown")
    with running(Scope("payroll", 42, "on_resync")):
        log.info("looked at %d rows", 3)
    log.warning("outside")
    first, second = stream.getvalue().splitlines()
    assert first.endswith(
        "Z INFO    plugins.payroll [plugin=payroll guild=42 hook=on_resync] looked at 3 rows"
    )
    assert second.endswith("WARNING plugins.payroll outside")


def test_json_is_one_object_a_line() -> None:
    stream = io.StringIO()
    configure_logging("INFO", "json", stream=stream)
    with running(Scope("payroll", 42, "on_resync")):
        logging.getLogger("x").info("two\nlines, ünïcode")
    (line,) = stream.getvalue().splitlines()
    entry = json.loads(line)
    assert entry["message"] == "two\nlines, ünïcode"
    assert (entry["plugin"], entry["guild"], entry["hook"]) == ("payroll", 42, "on_resync")


@pytest.mark.parametrize("style", ["text", "json"])
def test_secrets_are_replaced_everywhere(style: str) -> None:
    stream = io.StringIO()
    configure_logging(
        "INFO", "json" if style == "json" else "text", secrets=("sesame", "sesame-open"), stream=stream
    )
    try:
        raise ValueError("cannot log in with sesame-open")
    except ValueError:
        logging.getLogger("x").exception("token %s", "sesame")
    assert "sesame" not in stream.getvalue()
    assert "cannot log in with ***" in stream.getvalue()
