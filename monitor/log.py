"""Logs: one JSON object a line on stderr, a dotted event name first, then fields; one line per change."""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime
from typing import Any

import msgspec


class JsonLines(logging.Formatter):
    """Time, level, logger, event and whatever fields the call gave."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            "from": record.name,
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line, enc_hook=str).decode()


class Log:
    """`log.info("ingest.set_aside", partition=3, offset=91)`: an event name and fields, never prose."""

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(name)

    def info(self, event: str, **fields: Any) -> None:
        self._logger.info(event, extra={"fields": fields})

    def warning(self, event: str, **fields: Any) -> None:
        """Will heal itself."""
        self._logger.warning(event, extra={"fields": fields})

    def error(self, event: str, *, exc_info: BaseException | None = None, **fields: Any) -> None:
        """A person should look; there is a metric for it too."""
        self._logger.error(event, exc_info=exc_info, extra={"fields": fields})


def set_up(level: str = "INFO") -> None:
    """Send everything to stderr as JSON lines; libraries speak from WARNING on, aiokafka not at all."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    for room in ("monitor", "probes"):
        logging.getLogger(room).setLevel(level)
    # with a broker away it says thousands of times a second what stream.away says once
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)


def hush() -> None:
    """For a command that prints its own findings: what libraries log goes nowhere."""
    logging.getLogger().addHandler(logging.NullHandler())
