"""One answer that can be given to a problem, and the names of those that there are."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

KEEP_FIELDCAMP, KEEP_PROVIDER, BY_FIELD = "keep_fieldcamp", "keep_provider", "by_field"
PUT_BACK, CUT_LOOSE = "put_back", "cut_loose"
LEAVE_REMOVED, CANCEL_VISIT = "leave_removed", "cancel_visit"
SAME, VOID_SAME, MAKE_AGAIN, VOID_HERE = "same", "void_same", "make_again", "void_here"
LEAVE_APART = "leave_apart"
NET = "net"
Called = Callable[[str, Mapping[str, Any]], str]


@dataclass(frozen=True)
class Choice:
    """One answer. `effect` says what it does, `right` which right a person needs for it (`workspace.roles`).

    `dangerous`: it cannot be taken back. `values`: what may be sent along. `for_all`: the name by which it can be given
    to all problems of one cause; "" where it cannot. `remote_id` is the record there that it names, `name` what a new
    one is made as unless another is sent."""

    id: str
    label: str
    effect: str
    right: str = "retry"
    default: bool = False
    dangerous: bool = False
    values: tuple[str, ...] = ()
    for_all: str = ""
    remote_id: str = ""
    name: str = ""
