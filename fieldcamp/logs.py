"""Structured logs: one line an event, with the request or job id that it belongs to, and never a secret."""

import logging
import logging.config
from typing import Any

import structlog

from fieldcamp.redaction import redact, redacted


def _redact_event(_logger: Any, _method: str, event: structlog.types.EventDict) -> structlog.types.EventDict:
    return {key: value if key.startswith("_") else redacted(value, key) for key, value in event.items()}


_PLAIN = logging.Formatter()


class _Redacting(logging.Filter):
    """For loggers that write by handlers of their own: the server's, whose access log has whole addresses."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = redact(record.getMessage()), ()
        if record.exc_info:
            record.exc_text = redact(_PLAIN.formatException(record.exc_info))  # which the handler's formatter takes
        return True


def logging_config(level: str, style: str) -> None:
    """Sends structlog and the standard library's loggers through one formatter: `console` or `json`."""
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _redact_event,
    ]
    renderer: structlog.types.Processor = (
        structlog.processors.JSONRenderer() if style == "json" else structlog.dev.ConsoleRenderer(colors=False)
    )
    structlog.configure(
        # First of all: a line that nobody will see is not put together.
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "line": {
                    "()": structlog.stdlib.ProcessorFormatter,
                    "foreign_pre_chain": [structlog.stdlib.ExtraAdder(), *shared],
                    "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
                }
            },
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
            "root": {"handlers": ["stderr"], "level": level},
            "loggers": {"urllib3": {"level": "WARNING"}, "django.server": {"level": "WARNING"}},
        }
    )
    for name in ("gunicorn.access", "gunicorn.error"):
        logging.getLogger(name).addFilter(_Redacting())
