"""Activities and contact notes registered from their columns, as a test writes them down."""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from partnerships.models import Activity, ActivityOrganization, ContactNote, CooperationArea, Organization
from partnerships.workflows.activities import (
    DETAIL_MODELS,
    credits_of,
    register_activity,
    register_completed_activity,
    register_contact_note,
)


def plan_activity(*, actor: Any, on: dt.date, **columns: Any) -> Activity:
    activity, parts = _built(**columns)
    return register_activity(activity, actor=actor, today=on, parts=parts)


def record_activity(
    *,
    actor: Any,
    on: dt.date,
    next_step: str = "",
    next_step_on: dt.date | None = None,
    no_next_step_reason: str = "",
    **columns: Any,
) -> Activity:
    activity, parts = _built(**columns)
    return register_completed_activity(
        activity,
        actor=actor,
        today=on,
        on=on,
        parts=parts,
        next_step=next_step,
        next_step_on=next_step_on,
        no_next_step_reason=no_next_step_reason,
    )


def _built(
    *,
    organizations: Iterable[Organization] = (),
    areas: Iterable[CooperationArea] = (),
    details: Mapping[str, Any] | None = None,
    **columns: Any,
) -> tuple[Activity, list[Any]]:
    partners = [ActivityOrganization(organization=organization) for organization in organizations]
    detail = [DETAIL_MODELS[columns["kind"]](**details)] if details else []
    return Activity(**columns), [*detail, *partners, *credits_of(areas, organizations)]


def log_contact(*, actor: Any, on: dt.date, **columns: Any) -> ContactNote:
    return register_contact_note(ContactNote(happened_on=on, **columns), actor=actor, today=on)
