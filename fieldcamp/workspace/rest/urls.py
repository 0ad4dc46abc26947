"""Addresses of FieldCamp's own records, below `/api/v1/`."""

from django.urls import path

from fieldcamp.workspace.rest import batch, money_views, views

urlpatterns = [
    path("visits", views.VisitListView.as_view(), name="visits"),
    path("visits/batch", batch.VisitBatchView.as_view(), name="visits-batch"),
    path("visits/<str:record_id>", views.VisitView.as_view(), name="visit"),
    path("clients", views.ClientListView.as_view(), name="clients"),
    path("clients/batch", batch.ClientBatchView.as_view(), name="clients-batch"),
    path("clients/<str:record_id>", views.ClientView.as_view(), name="client"),
    path("clients/<str:record_id>/merge", views.ClientMergeView.as_view(), name="client-merge"),
    path("items", money_views.ItemListView.as_view(), name="items"),
    path("items/<str:record_id>", money_views.ItemView.as_view(), name="item"),
    path("taxes", money_views.TaxListView.as_view(), name="taxes"),
    path("taxes/<str:record_id>", money_views.TaxView.as_view(), name="tax"),
    path("invoices", money_views.InvoiceListView.as_view(), name="invoices"),
    path("invoices/<str:record_id>", money_views.InvoiceView.as_view(), name="invoice"),
    path("invoices/<str:record_id>/send", money_views.InvoiceSendView.as_view(), name="invoice-send"),
    path("invoices/<str:record_id>/void", money_views.InvoiceVoidView.as_view(), name="invoice-void"),
    path("payments", money_views.PaymentListView.as_view(), name="payments"),
    path("payments/<str:record_id>", money_views.PaymentView.as_view(), name="payment"),
    path("payments/<str:record_id>/void", money_views.PaymentVoidView.as_view(), name="payment-void"),
    path("team", views.TeamView.as_view(), name="team"),
    path("team/<str:record_id>", views.MemberView.as_view(), name="team-member"),
]
