"""What tests of pushes share."""

from tests.integrations.push.switchboard import switchboard  # noqa: F401  (a fixture)
