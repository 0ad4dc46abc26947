"""A company whose people connect accounts, and its key."""

from collections.abc import Callable
from typing import Any

import pytest

from integrations.providers import PROVIDERS
from tests.integrations.connecting import *  # noqa: F403


@pytest.fixture
def status(api) -> Callable[[str], dict[str, Any]]:
    """What the API answers about an integration."""
    return lambda integration: api.get(f"/api/v1/integrations/{PROVIDERS[integration].slug}/status").json()
