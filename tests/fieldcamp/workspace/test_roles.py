"""Who may do what at the desk: the whole table."""

import pytest

from fieldcamp.workspace.models import Member, Role
from fieldcamp.workspace.roles import ACTIONS, may

ROLES = ("owner", "admin", "staff", "viewer")
TABLE = {
    "view": {Role.OWNER, Role.ADMIN, Role.STAFF, Role.VIEWER},
    "sync": {Role.OWNER, Role.ADMIN, Role.STAFF},
    "retry": {Role.OWNER, Role.ADMIN, Role.STAFF},
    "ignore": {Role.OWNER, Role.ADMIN, Role.STAFF},
    "connect": {Role.OWNER, Role.ADMIN},
    "disconnect": {Role.OWNER, Role.ADMIN},
    "settings": {Role.OWNER, Role.ADMIN},
    "keys": {Role.OWNER},
    "erase": {Role.OWNER},
}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("action", TABLE)
def test_table(role, action):
    assert may(Member(role=role), action) is (role in TABLE[action])


def test_the_table_is_complete():
    assert set(TABLE) == ACTIONS and set(ROLES) == set(Role.values)


@pytest.mark.parametrize("action", TABLE)
def test_nobody_and_nobody_inactive_may_anything(action):
    assert not may(None, action)
    assert not may(Member(role=Role.OWNER, is_active=False), action)


def test_an_unknown_action_is_a_mistake_of_the_caller():
    with pytest.raises(ValueError, match="fly"):
        may(Member(role=Role.OWNER), "fly")
