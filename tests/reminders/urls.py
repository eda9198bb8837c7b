"""The site's addresses and, until its page exists, the milestone's."""

from django.http import HttpResponse
from django.urls import include, path

urlpatterns = [
    path("milestones/<int:pk>/", lambda request, pk: HttpResponse(pk), name="milestone_detail"),
    path("", include("config.urls")),
]
