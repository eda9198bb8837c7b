"""The page of the office's words."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from partnerships.glossary import TERMS
from partnerships.requests import UserRequest


@login_required
@require_safe
def glossary(request: UserRequest) -> HttpResponse:
    return render(request, "partnerships/glossary.html", {"terms": TERMS.items()})
