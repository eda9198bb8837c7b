"""The acts that the page of a record offers: a main button, a menu of groups, and links beside the contents."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Model
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from partnerships.forms.steps import StepOffer
from partnerships.lists import LISTS
from partnerships.models import Citation, Document, User
from partnerships.models.documents import DOCUMENT_TARGETS
from partnerships.permissions import ACTIONS, may
from partnerships.statuses import Transition
from partnerships.texts import LazyText
from partnerships.views.records import KINDS
from partnerships.workflows.deletions import deletion_action

# Drawn in a square of 16 units.
ICONS = {
    "step": "M2.5 8.5 6 12l7.5-8",
    "plus": "M8 3v10M3 8h10",
    "phone": "M5.5 2.5 3 3.5c0 5 4.5 9.5 9.5 9.5l1-2.5-3-2-1.5 1.5c-1.5-.7-2.5-1.7-3-3L7.5 5.5z",
    "paper": "M4 1.5h5.5L12.5 4.5V14.5H4zM6.5 7.5h4M6.5 10.5h4",
    "renew": "M13 5A5.5 5.5 0 0 0 3 5.5M3 2.5v3h3M3 11a5.5 5.5 0 0 0 10-.5M13 13.5v-3h-3",
    "person": "M8 2.5a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6M2.8 14c.5-3 2.5-4.2 5.2-4.2s4.7 1.2 5.2 4.2",
    "bell": "M8 2a4 4 0 0 0-4 4v3l-1.5 2.5h11L12 9V6a4 4 0 0 0-4-4M6.5 13.5h3",
    "end": "M4 4l8 8M12 4l-8 8",
}


@dataclass(frozen=True)
class RecordAct:
    """A link to something that can be done with a record."""

    label: LazyText
    address: str
    icon: str = ICONS["step"]
    is_forward: bool = False


@dataclass(frozen=True)
class ActGroup:
    """Acts under one heading of the menu. The page shows the ``main`` ones beside its contents as well."""

    name: str
    label: str
    acts: tuple[RecordAct, ...]
    is_main: bool = False


def groups_of(groups: Iterable[tuple[str, str, Sequence[RecordAct], bool]]) -> list[ActGroup]:
    """Return the groups that have an act."""
    return [ActGroup(name, label, tuple(acts), is_main) for name, label, acts, is_main in groups if acts]


def kind_of_record(row: Model) -> str:
    """Return the word for the kind of ``row`` in the names of addresses and actions."""
    model = row._meta.concrete_model or type(row)
    name = model._meta.model_name or ""
    return {"reportedfigure": "figure"}.get(name, name)


def record_groups(
    row: Any,
    user: User,
    *,
    offers: Mapping[str, list[StepOffer]] | None = None,
    follow_up: Sequence[RecordAct] = (),
    adds: Sequence[RecordAct] = (),
    beside: Sequence[RecordAct] = (),
) -> list[ActGroup]:
    """Return what ``user`` may do with a record now: its steps, ``follow_up``, what is added to it, and what is kept of it.

    ``beside`` are acts with the record of which other kinds have none, such as archiving.
    """
    kind, steps = kind_of_record(row), offers or {}
    found = [offer.transition for offer in steps.get("open", ())]
    forward = [_step(row, one, ICONS["step"], is_forward=True) for one in found if one.is_forward]
    ends = [_step(row, one, ICONS["end"]) for one in found if not one.is_forward]
    corrections = [_step(row, offer.transition, ICONS["renew"]) for offer in steps.get("corrections", ())]
    return groups_of(
        (
            ("steps", _("Next steps"), forward, True),
            ("follow-up", _("Follow up"), follow_up, True),
            ("add", pgettext("acts of a record", "Add"), adds, False),
            ("record", _("Record"), [*_kept(row, kind, user), *beside, *_deletion(row, kind, user)], False),
            ("end", _("Pause or end"), ends, False),
            ("corrections", _("Correct a mistake"), corrections, False),
        )
    )


def _step(row: Any, step: Transition, icon: str, *, is_forward: bool = False) -> RecordAct:
    address = reverse(f"{kind_of_record(row)}_step", args=[row.pk, step.name])
    return RecordAct(step.label, address, icon, is_forward)


def adding(user: User, *kinds: str, **about: int) -> list[RecordAct]:
    """Return the acts that add a record of one of ``kinds`` with what is known of it: ``about`` names records by id."""
    query = f"?{urlencode(about)}" if about else ""
    asked = ((kind, KINDS[kind]) for kind in kinds)
    return [
        RecordAct(one.add, reverse(f"{kind}_add") + query, ICONS["plus"])
        for kind, one in asked
        if may(user, one.add_action)
    ]


def first_step(acts: Iterable[ActGroup]) -> RecordAct | None:
    """Return the step that takes a record on, which is the main button of its page."""
    return next((act for group in acts if group.name == "steps" for act in group.acts), None)


def edit_act(row: Any, user: User) -> RecordAct | None:
    """Return the act that edits a record on a page; None for those who may not, and for one that was withdrawn.

    Reference data such as regions is edited in the admin.
    """
    kind = kind_of_record(row)
    action = f"{kind}.edit"
    is_open = action in ACTIONS and getattr(row, "withdrawn_on", None) is None and may(user, action, row)
    return (
        RecordAct(pgettext("verb", "Edit"), reverse(f"{kind}_edit", args=[row.pk]), ICONS["paper"]) if is_open else None
    )


def _kept(row: Any, kind: str, user: User) -> list[RecordAct]:
    found = [edit_act(row, user)]
    if kind in DOCUMENT_TARGETS and may(user, "document.upload", Document(**{kind: row})):
        found.append(RecordAct(_("Add a document"), reverse("document_add", args=[kind, row.pk]), ICONS["paper"]))
    found.append(citing_act(row, user))
    return [act for act in found if act]


def citing_act(row: Any, user: User) -> RecordAct | None:
    if not may(user, "citation.add", Citation(record=row)):
        return None
    return RecordAct(_("Cite a source"), reverse("citation_add", args=[kind_of_record(row), row.pk]), ICONS["paper"])


def _deletion(row: Any, kind: str, user: User) -> list[RecordAct]:
    action = deletion_action(type(row))
    if action is None or f"{kind}_list" not in LISTS or not may(user, action, row):
        return []
    label = pgettext("record", "Delete: entered by mistake")
    return [RecordAct(label, reverse(f"{kind}_delete", args=[row.pk]), ICONS["end"])]
