from fieldcamp.workspace.models.audit import AuditEntry
from fieldcamp.workspace.models.blocked import BlockedTime
from fieldcamp.workspace.models.change import Change
from fieldcamp.workspace.models.people import Client, Member, Role, Workspace
from fieldcamp.workspace.models.visit import Visit, VisitStatus

__all__ = ["AuditEntry", "BlockedTime", "Change", "Client", "Member", "Role", "Visit", "VisitStatus", "Workspace"]
