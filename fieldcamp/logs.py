"""Structured logs: one line an event, with the request or job id that it belongs to, and never a secret."""

import logging
import logging.config
import re
from typing import Any

import structlog

# Tokens and codes by the name of the field they stand in, and by the shapes that vendors and we give them.
_SECRET_FIELDS = re.compile(
    r"(?i)(access_token|refresh_token|id_token|client_secret|code_verifier|authorization|api[_-]?key|password|code|state)"
    r"(\"?'?\s*[=:]\s*\"?'?(?:bearer\s+|basic\s+)?)([^\s&\"',;}]+)"
)
_SECRET_SHAPES = re.compile(
    r"(ya29\.[\w.-]+|1//[\w.-]{10,}|fc_live_\w+|eyJ[\w-]{8,}\.[\w.-]*|\bAB11\d*[\w-]{20,}|(?i:bearer)\s+[\w.~+/-]{12,}=*)"
)
REDACTED = "[redacted]"


def redact(text: str) -> str:
    """Returns the text without anything that looks like a token, a code or a key."""
    return _SECRET_SHAPES.sub(REDACTED, _SECRET_FIELDS.sub(rf"\1\2{REDACTED}", text))


def _redact_event(_logger: Any, _method: str, event: structlog.types.EventDict) -> structlog.types.EventDict:
    return {key: value if key.startswith("_") else _redacted(value) for key, value in event.items()}


def _redacted(value: Any) -> Any:
    """Returns the value without secrets. An object is logged by its text, and a request's has the address with all that
    stands in it."""
    if isinstance(value, dict):
        return {key: _redacted(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted(inner) for inner in value]
    return value if value is None or isinstance(value, bool | int | float) else redact(str(value))


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
