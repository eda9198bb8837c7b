"""Reports: registered and written as drafts, confirmed with their figures, and issued anew as the next edition."""

import datetime as dt
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from django.db import models, transaction
from django.utils.translation import gettext as _

from partnerships.exceptions import TransitionRefused
from partnerships.models import Report, ReportText, User
from partnerships.permissions import require
from partnerships.statuses import REPORT_TRANSITIONS, ReportStatus
from partnerships.workflows.edits import Aggregate, changed_columns
from partnerships.workflows.transitions import lock_as_read, save_as, take_step

REPORT = Aggregate(Report, "report.edit", "report.edit", parts=(ReportText,))


def register_report(
    report: Report, *, actor: User | None, today: dt.date, parts: Sequence[models.Model] = ()
) -> Report:
    """Register a draft with its texts."""
    with transaction.atomic():
        _sign_texts(parts, actor, today)
        REPORT.register(report, parts, actor=actor)
    return report


def edit_report(
    report: Report,
    *,
    actor: User | None,
    today: dt.date,
    changes: Mapping[str, object] = MappingProxyType({}),
    parts: Sequence[models.Model] = (),
    removed: Sequence[models.Model] = (),
) -> Report:
    """Change a draft and its texts as one version; a changed text gets the name of the actor and the day."""
    with transaction.atomic():
        before, after = REPORT.begin(report, changes, actor=actor)
        if after.previous_id and changed_columns(before, after) - {"language"}:
            raise TransitionRefused(_("A later edition is about the same unit and year as the first."))
        _sign_texts(parts, actor, today)
        REPORT.finish(before, after, parts, removed, actor=actor)
    return after


def confirm_report(
    report: Report,
    *,
    actor: User,
    now: dt.datetime,
    on: dt.date,
    figures: Mapping[str, Any],
    counts_unconfirmed: bool = False,
) -> Report:
    """Freeze ``figures``, which the actor has seen, under their name. ``on`` is the day of the confirmation."""
    return take_step(
        report,
        REPORT_TRANSITIONS,
        "confirm",
        actor=actor,
        on=on,
        figures=figures,
        counts_unconfirmed=counts_unconfirmed,
        confirmed_by=actor,
        confirmed_at=now,
    )


def start_edition(report: Report, *, actor: User) -> Report:
    """Return the next edition, a draft with the same texts; the confirmed one stays as it is."""
    with transaction.atomic():
        current = lock_as_read(report)
        require(actor, "report.reopen", current)
        if not current.is_confirmed:
            raise TransitionRefused(_("This edition is not confirmed yet, so it can still be changed."))
        if Report.objects.filter(previous=current).exists():
            raise TransitionRefused(_("There is a later edition already."))
        about = {name: getattr(current, name) for name in REPORT.fields}
        edition = Report(**about, previous=current, edition=current.edition + 1, status=ReportStatus.DRAFT)
        save_as(edition, actor)
        for text in current.texts.all():
            text.pk, text.report, text._state.adding = None, edition, True
            save_as(text, actor)
    return edition


def _sign_texts(parts: Sequence[models.Model], actor: User | None, today: dt.date) -> None:
    """Give each text that is new or changed its author and the day."""
    texts = [part for part in parts if isinstance(part, ReportText)]
    was = dict(ReportText.objects.filter(pk__in=[part.pk for part in texts]).values_list("pk", "text"))
    for part in texts:
        if part.pk is None or was.get(part.pk) != part.text:
            part.author, part.written_on = actor, today
