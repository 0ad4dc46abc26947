"""The pages below /admin/integrations/ that are no admin change lists."""

from django.urls import path

from integrations.views import (
    books,
    connect,
    counterparts,
    desk,
    mail,
    metering,
    problems,
    reconciliation,
    same,
    settings,
    tour,
)

app_name = "integrations"
urlpatterns = [
    path("connect/<slug:slug>/", connect.connect, name="connect"),
    path("connections/<str:connection_id>/setup/", connect.setup, name="setup"),
    path("connections/<str:connection_id>/preview/", connect.preview, name="preview"),
    path("connections/<str:connection_id>/refresh/", books.refresh_company, name="refresh_company"),
    path("connections/<str:connection_id>/same/", same.page, name="same"),
    path("connections/<str:connection_id>/same/undo/", same.undo, name="same_undo"),
    path("connections/<str:connection_id>/mapping/", books.mapping, name="mapping"),
    path("connections/<str:connection_id>/reconciliation/", reconciliation.page, name="reconciliation"),
    path(
        "connections/<str:connection_id>/reconciliation/reading/", reconciliation.reading, name="reconciliation_reading"
    ),
    path("connections/<str:connection_id>/reconciliation.csv", reconciliation.table, name="reconciliation_table"),
    path("weekly-summary/<str:token>/", mail.weekly, name="weekly"),
    path("tour/dismiss/", tour.dismiss, name="dismiss_tour"),
    path("company/", desk.choose_company, name="choose_company"),
    path("cards/<slug:slug>/", desk.card, name="card"),
    path("needs/", desk.needs, name="needs"),
    path("sync/<slug:slug>/", desk.trigger, name="trigger"),
    path("jobs/<str:job_id>/live/", desk.job_live, name="job_live"),
    path("jobs/<str:job_id>/items.csv", desk.job_items, name="job_items"),
    path("jobs/<str:job_id>/calls.csv", desk.job_calls, name="job_calls"),
    path("jobs/<str:job_id>/cancel/", desk.cancel, name="cancel"),
    path("connections/<str:connection_id>/settings/", settings.connection_settings, name="settings"),
    path("settings/<slug:slug>/", settings.integration_settings, name="integration_settings"),
    path("connections/<str:connection_id>/calls/", metering.page, name="metering"),
    path("connections/<str:connection_id>/sync/", desk.sync, name="sync"),
    path("connections/<str:connection_id>/pause/", desk.pause, name="pause"),
    path("connections/<str:connection_id>/resume/", desk.resume, name="resume"),
    path("connections/<str:connection_id>/disconnect/", desk.disconnect, name="disconnect"),
    path("conflicts/", problems.conflicts, name="conflicts"),
    path("notices/dismiss/", problems.dismiss, name="dismiss"),
    path("problems/<str:problem_id>/outcome/", problems.outcome, name="outcome"),
    path("problems/<str:problem_id>/retry/", problems.retry, name="retry"),
    path("problems/<str:problem_id>/retry-all/", problems.retry_cause, name="retry_cause"),
    path("problems/<str:problem_id>/resolve/", problems.resolve, name="resolve"),
    path("problems/<str:problem_id>/ignore/", problems.ignore, name="ignore"),
    path("problems/<str:problem_id>/unignore/", problems.unignore, name="unignore"),
    path("problems/<str:problem_id>/match/", problems.match, name="match"),
    path("problems/<str:problem_id>/post-again/", problems.post_again, name="post_again"),
    path("problems/<str:problem_id>/void/", problems.void_here, name="void_here"),
    path("links/<int:link_id>/part/", counterparts.part, name="part"),
    path("holds/<str:hold_id>/decide/", problems.decide, name="decide"),
]
