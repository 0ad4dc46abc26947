"""Erasing a client, a person of the team, an account or a whole company: what that takes away, what has to stay, and
doing it. `docs/data.md` is what is promised."""

from integrations.services.erasure.accounts import erase_account, plan_account
from integrations.services.erasure.clients import erase_client, plan_client
from integrations.services.erasure.members import erase_member, plan_member
from integrations.services.erasure.plans import ErasurePlan
from integrations.services.erasure.workspaces import erase_workspace, plan_workspace

__all__ = [
    "ErasurePlan", "erase_account", "erase_client", "erase_member", "erase_workspace", "plan_account", "plan_client",
    "plan_member", "plan_workspace",
]  # fmt: skip
