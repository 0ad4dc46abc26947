"""The queue's own tables, to look at: what a worker has to do stands in the jobs, not here."""

from django.contrib import admin
from django_q.models import Failure, OrmQ, Schedule, Success, Task

from fieldcamp.desk.admins import SuperuserAdmin

for _model in (Failure, OrmQ, Schedule, Success, Task):
    if admin.site.is_registered(_model):
        admin.site.unregister(_model)


@admin.register(Schedule)
class ScheduleAdmin(SuperuserAdmin):
    list_display = ("name", "func", "schedule_type", "next_run", "repeats")


@admin.register(OrmQ)
class QueuedAdmin(SuperuserAdmin):
    """The payload is signed and pickled: it is not opened here."""

    list_display = ("id", "key", "lock")
    fields = ("key", "lock")


@admin.register(Failure)
class FailureAdmin(SuperuserAdmin):
    list_display = ("id", "name", "func", "started", "stopped", "attempt_count")
    fields = ("id", "name", "func", "started", "stopped", "attempt_count")
    search_fields = ("=id", "func")
