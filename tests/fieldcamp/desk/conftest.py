"""The desk's company and its people."""

from tests.integrations.admin.conftest import *  # noqa: F403
