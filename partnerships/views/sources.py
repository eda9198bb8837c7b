"""A source and every record that cites it."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from partnerships.models import Activity, Agreement, AgreementParty, Citation, Event, Milestone, Source
from partnerships.views.base import visible_or_404


@login_required
@require_safe
def source_detail(request: HttpRequest, pk: int) -> HttpResponse:
    source = visible_or_404(Source.objects.all(), request, pk)
    citations = source.citations.select_related("content_type").prefetch_related("record")
    seen = _seen_by(request.user)
    shown = [row for row in citations if row.record and seen(row)]
    for row in shown:
        row.field_label = row.record._meta.get_field(row.field).verbose_name if row.field else ""
    context = {"source": source, "citations": shown}
    return render(request, "partnerships/sources/detail.html", context)


def _seen_by(user: Any) -> Any:
    """A test whether a cited record is one the person may see; what a citation quotes is as private as its record."""
    scoped = {
        model: set(model.objects.visible_to(user).values_list("pk", flat=True)) if not user.sees_all_units else None
        for model in (Agreement, Activity, Event, Milestone)
    }

    def sees(citation: Citation) -> bool:
        record = citation.record
        if isinstance(record, AgreementParty):
            ids, pk = scoped[Agreement], record.agreement_id
        else:
            ids, pk = scoped.get(type(record)), record.pk
        return ids is None or pk in ids

    return sees
