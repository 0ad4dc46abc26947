"""A connected technician, and both sides of the sync at hand."""

from tests.integrations.engine import *  # noqa: F403
