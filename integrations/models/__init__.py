from integrations.models.books import BooksSettings
from integrations.models.budget import DailyCalls, JobCall, ProviderBudget, ProviderCalls
from integrations.models.calls import CallPurpose, RecordCall
from integrations.models.changes import ChangeAction, ChangeRow
from integrations.models.chat import ChatAddress, ChatMessage
from integrations.models.connect_links import ConnectLink, ConnectLinkState, ReturnAddress
from integrations.models.connections import (
    BROKEN,
    USABLE,
    ConflictPolicy,
    Connection,
    ConnectionState,
    Direction,
    NotConnectedReason,
    OAuthGrant,
    Stream,
    WorkspaceIntegration,
    not_connected_reason,
)
from integrations.models.jobs import Heartbeat, JobDirection, JobItem, JobPart, JobStatus, Outcome, SyncJob
from integrations.models.links import DirtyRow, Link, Occurrence
from integrations.models.mails import SummaryMail
from integrations.models.outages import OutageMail, VendorOutage
from integrations.models.plans import Plan, PlanOperation
from integrations.models.privacy import IdentifierKey
from integrations.models.problems import Hold, Problem
from integrations.models.push import PushChannel, PushMark, ReceivedPush
from integrations.models.reconciliation import AcceptedBalance, BooksReading, ReadingPage, Reconciliation
from integrations.models.security import ReceivedSecurityEvent

__all__ = [
    "BROKEN", "USABLE",
    "AcceptedBalance", "BooksReading", "BooksSettings",
    "CallPurpose", "ChangeAction", "ChangeRow", "ChatAddress", "ChatMessage", "ConflictPolicy", "ConnectLink",
    "ConnectLinkState", "Connection",
    "ConnectionState", "DailyCalls", "Direction", "DirtyRow", "Heartbeat", "Hold", "IdentifierKey", "JobCall",
    "JobDirection", "JobItem", "JobPart", "JobStatus", "Link", "NotConnectedReason", "OAuthGrant", "Occurrence",
    "OutageMail", "Outcome", "Plan", "PlanOperation", "Problem", "ProviderBudget", "ProviderCalls", "PushChannel",
    "PushMark", "ReadingPage", "ReceivedPush", "ReceivedSecurityEvent", "Reconciliation", "RecordCall", "ReturnAddress",
    "Stream",
    "SummaryMail", "SyncJob", "VendorOutage", "WorkspaceIntegration", "not_connected_reason",
]  # fmt: skip
