"""Prefixed ULIDs: sortable by time, recognizable at a glance (`syn_01HZX2Q8YV3D1G0N3WJ2P7K9MA`)."""

import datetime as dt
from functools import partial

from django.db import models
from ulid import ULID


def new_id(prefix: str) -> str:
    """Returns a fresh id: the prefix, an underscore and 26 characters of Crockford's base32."""
    return f"{prefix}_{ULID()}"


def first_id(prefix: str, moment: dt.datetime) -> str:
    """Returns the lowest id that may have been made at that moment: what is below it is older."""
    return f"{prefix}_{ULID.from_bytes(int(moment.timestamp() * 1000).to_bytes(6) + bytes(10))}"


class PrefixedIdField(models.CharField):
    """A primary key that is made in Python, so that it is known before the row is saved."""

    def __init__(self, prefix: str = "", **kwargs):
        self.prefix = prefix
        kwargs.setdefault("max_length", 32)
        kwargs.setdefault("editable", False)
        kwargs.setdefault("primary_key", True)
        kwargs.setdefault("default", partial(new_id, prefix))
        super().__init__(**kwargs)

    def deconstruct(self):
        name, path, args, kwargs = super().deconstruct()
        kwargs["prefix"] = self.prefix
        return name, path, args, kwargs
