"""The desk's pages about integrations. Django's admin finds the classes by this import."""

from integrations.admin import connections, jobs, problems, queue, records

__all__ = ["connections", "problems", "jobs", "queue", "records"]
