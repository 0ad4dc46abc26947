"""A company whose people sign in and connect accounts."""

from tests.integrations.connecting import *  # noqa: F403
from tests.integrations.telling import told  # noqa: F401
