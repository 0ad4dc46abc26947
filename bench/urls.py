"""The site's addresses, and `/bench/bare`: a DRF view that inserts one row and does nothing else."""

from uuid import uuid4

from django.urls import include, path
from django.utils import timezone
from rest_framework.parsers import JSONParser
from rest_framework.response import Response
from rest_framework.views import APIView

from integrations.models import Heartbeat


class BareView(APIView):
    authentication_classes = []
    permission_classes = []
    parser_classes = [JSONParser]

    def post(self, request):
        row = Heartbeat.objects.create(name=request.data["name"] + uuid4().hex[:20], at=timezone.now())
        return Response({"name": row.name, "at": row.at}, status=201)


urlpatterns = [path("bench/bare", BareView.as_view()), path("", include("fieldcamp.urls"))]
