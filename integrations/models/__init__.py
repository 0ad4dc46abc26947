from integrations.models.books import BooksSettings
from integrations.models.budget import ProviderBudget, ProviderCalls
from integrations.models.changes import ChangeRow
from integrations.models.connections import (
    Connection,
    ConnectionState,
    Direction,
    NotConnectedReason,
    OAuthGrant,
    Policy,
    Stream,
    WorkspaceIntegration,
    not_connected_reason,
)
from integrations.models.issues import Hold, Issue
from integrations.models.jobs import Heartbeat, JobItem, JobPart, JobStatus, Outcome, SyncJob
from integrations.models.links import DirtyRow, Link, Occurrence
from integrations.models.mails import SummaryMail

__all__ = [
    "BooksSettings", "ChangeRow", "Connection", "ConnectionState", "Direction", "DirtyRow", "Heartbeat", "Hold",
    "Issue", "JobItem", "JobPart", "JobStatus", "Link", "NotConnectedReason", "OAuthGrant", "Occurrence",
    "Outcome", "Policy", "ProviderBudget", "ProviderCalls", "Stream", "SummaryMail", "SyncJob", "WorkspaceIntegration",
    "not_connected_reason",
]  # fmt: skip
