"""How the servers write their logs: lines for people, or JSON for machines."""

import logging

from pythonjsonlogger.msgspec import MsgspecFormatter

from contract.settings.operation import Log

TEXT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def write_logs(settings: Log) -> None:
    """To standard error. As JSON a record has its time, level, logger, message, and whatever came with it."""
    handler = logging.StreamHandler()
    if settings.format == "json":
        handler.setFormatter(
            MsgspecFormatter(
                ["levelname", "name", "message"],
                rename_fields={"levelname": "severity", "name": "logger"},
                timestamp="time",
            )
        )
    else:
        handler.setFormatter(logging.Formatter(TEXT))
    logging.basicConfig(level=settings.level, handlers=[handler])
