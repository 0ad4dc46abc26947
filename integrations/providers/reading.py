"""Reading what a provider answers into records: one that cannot be read is no other one's fault."""

from collections.abc import Callable
from typing import TypeVar

from integrations.errors import ProviderError
from integrations.records import RemoteRecord

Read = TypeVar("Read")


def read_record(kind: str, id: str, read: Callable[[], Read]) -> Read | RemoteRecord:
    """Returns what `read` makes of one row, or a record that holds what it raised (`RemoteRecord.fault`).

    A row of a shape that nobody has seen yet must neither end the run of all others nor pass for one that is gone.
    Raises `ProviderError`, which is the whole account's: reading a row may take a call."""
    try:
        return read()
    except ProviderError:
        raise
    except Exception as error:
        return RemoteRecord(id, "", kind, fault=error)
