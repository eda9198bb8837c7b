"""A field that finds one row among many by typed words, with a script while one types, or by a button without one.

The form sends the words beside the choice, so that the same options are shown again with the page.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any, cast

from django import forms
from django.db.models import Model, Q, QuerySet
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from partnerships.forms.choices import choosable
from partnerships.models import Agreement, Contact, Event, Organization, Programme, Region, Source, User
from partnerships.names import fold
from partnerships.permissions import may
from partnerships.texts import name_all

SHOWN = 8
LONGEST_WORDS = 200
# The value of a field with words but no choice: no row has this id.
UNCHOSEN = "?"


@dataclass(frozen=True)
class Pick:
    """How rows of a model are found by words, described, fetched for that, and narrowed to those on offer.

    ``adding`` is the permission to add one that was not found, empty where a form adds none.
    """

    model: type[Model]
    find: Callable[[Any, str], QuerySet]
    about: Callable[[Any], str]
    fetch: Callable[[Any], QuerySet] = lambda rows: rows
    narrow: Callable[[Any, User], QuerySet] = lambda rows, user: rows
    adding: str = ""


def _by_text(rows: Any, words: str) -> QuerySet:
    return rows.search(words)


def _by_columns(*columns: str) -> Callable[[Any, str], QuerySet]:
    def find(rows: QuerySet, words: str) -> QuerySet:
        each = (reduce(or_, (Q(**{f"{column}__icontains": word}) for column in columns)) for word in words.split())
        return rows.filter(*each)

    return find


def _about_organization(organization: Organization) -> str:
    holders = name_all(holder.unit for holder in organization.holders.all())
    above, region = str(organization.part_of or ""), str(organization.region or "")
    places = [region, organization.foreign_country]
    return " · ".join(filter(None, [organization.get_kind_display(), above, *places, holders]))


def _about_agreement(agreement: Agreement) -> str:
    return " · ".join(filter(None, [agreement.reference, str(agreement.type), agreement.get_status_display()]))


PICKS: Mapping[str, Pick] = {
    "organization": Pick(
        Organization,
        lambda rows, words: rows.search(words).wholes_first(),
        _about_organization,
        lambda rows: rows.select_related("part_of", "region").prefetch_related("holders__unit"),
        lambda rows, user: rows.not_archived(),
        adding="organization.add",
    ),
    "agreement": Pick(Agreement, _by_text, _about_agreement, lambda rows: rows.select_related("type")),
    "event": Pick(Event, _by_text, lambda event: event.starts_on.isoformat()),
    "programme": Pick(
        Programme, _by_text, lambda programme: str(programme.unit), narrow=lambda rows, user: rows.edited_by(user)
    ),
    "person": Pick(
        User, _by_columns("name", "username"), lambda person: person.email, narrow=lambda rows, user: rows.reachable()
    ),
    "contact": Pick(
        Contact,
        _by_columns("name", "position"),
        lambda contact: " · ".join(filter(None, [contact.position, str(contact.organization)])),
        lambda rows: rows.select_related("organization"),
        lambda rows, user: rows.filter(is_active=True),
        adding="contact.edit",
    ),
    "region": Pick(
        Region,
        _by_columns("name", "name_zh"),
        lambda region: str(region.parent or ""),
        lambda rows: rows.select_related("parent"),
    ),
    "source": Pick(Source, _by_columns("title", "publisher"), lambda source: source.publisher),
}


def offered(kind: str, user: User) -> QuerySet:
    """Return the rows of a kind that ``user`` may choose from. Raises ``KeyError`` for an unknown kind."""
    pick = PICKS[kind]
    return pick.fetch(pick.narrow(choosable(pick.model, user), user))


def may_add(kind: str, user: User) -> bool:
    """Whether ``user`` may add a row of a kind anywhere; of which unit or organization is asked by the verb."""
    return bool(PICKS[kind].adding) and may(user, PICKS[kind].adding)


def options_for(
    kind: str, rows: QuerySet, *, words: str, chosen: Model | None, adds: bool = False
) -> dict[str, object]:
    """Return the options below the field: the chosen row, then the first rows that ``words`` find.

    With ``adds`` it is offered to add a row of that name, as long as none is chosen and no organization has just that name.
    """
    # PostgreSQL refuses a NUL in a condition.
    pick, words = PICKS[kind], words.replace("\0", " ").strip()[:LONGEST_WORDS]
    found = list(pick.find(rows, words)[: SHOWN + 1]) if words else []
    rest = [row for row in found if row != chosen]
    shown = ([chosen] if chosen else []) + rest[:SHOWN]
    return {
        "kind": kind,
        "words": words,
        "options": [{"row": row, "about": pick.about(row), "is_chosen": row == chosen} for row in shown],
        "has_chosen": chosen is not None,
        "has_more": len(rest) > SHOWN,
        "is_nothing_found": bool(words) and not found,
        "new_name": words if adds and chosen is None and not any(_is_named(row, words) for row in found) else "",
    }


def _is_named(row: Model, words: str) -> bool:
    """Whether an organization has just this name. Of people there may be several of one name."""
    return isinstance(row, Organization) and fold(words) in {fold(row.name), fold(row.name_zh)}


class PickInput(forms.Widget):
    """The choice and the words beside it; its bound field knows both and renders them."""

    use_fieldset = True

    def value_from_datadict(self, data: Mapping[str, object], files: object, name: str) -> object:
        return data.get(name) or (UNCHOSEN if str(data.get(f"{name}-words", "")).strip() else "")

    def value_omitted_from_data(self, data: Mapping[str, object], files: object, name: str) -> bool:
        return name not in data and f"{name}-words" not in data

    def id_for_label(self, id_: str) -> str:
        return f"{id_}_words" if id_ else id_


class PickBoundField(forms.BoundField):
    field: "PickField"

    def as_widget(
        self, widget: forms.Widget | None = None, attrs: dict[str, str | bool] | None = None, only_initial: bool = False
    ) -> SafeString:
        typed = self.form.data if self.form.is_bound else self.form.initial
        words = typed.get(f"{self.html_name}-words", "")
        context = {
            **options_for(
                self.field.kind, self.field.queryset, words=str(words), chosen=self._chosen(), adds=self.field.adds
            ),
            "adds": self.field.adds,
            "name": self.html_name,
            "id": self.auto_id,
            "label": self.label,
            "is_required": self.field.required,
        }
        return render_to_string("partnerships/_pick.html", context)

    def _chosen(self) -> Model | None:
        """Return the chosen row, without a query if it is the one that the form's instance has loaded."""
        value, instance = self.value(), getattr(self.form, "instance", None)
        if value and str(value) == str(getattr(instance, f"{self.name}_id", "")):
            return getattr(instance, self.name)
        return self.field.row_or_none(value)


class PickField(forms.ModelChoiceField):
    """``kind`` is one of ``PICKS``; the form gives it the person with ``offer_to``."""

    widget = PickInput
    bound_field_class = PickBoundField
    default_error_messages = {"invalid_choice": _("Choose one of those found.")}
    queryset: QuerySet

    def __init__(self, kind: str, **kwargs: Any) -> None:
        self.kind, self.adds = kind, False
        super().__init__(PICKS[kind].model._default_manager.none(), **kwargs)

    def offer_to(self, user: User, *, current: int | None = None) -> None:
        """Offer the rows that ``user`` may choose, and the ``current`` row even if they may not."""
        self.adds = may_add(self.kind, user)
        rows = offered(self.kind, user)
        if current is not None:
            pick = PICKS[self.kind]
            known = Q(pk__in=rows.order_by().values("pk")) | Q(pk=current)
            rows = pick.fetch(pick.model._default_manager.filter(known))
        self.queryset = rows

    def row_or_none(self, value: object) -> Model | None:
        try:
            return self.to_python(value)
        except forms.ValidationError:
            return None


def pick_field(form: forms.BaseForm, name: str) -> PickField:
    return cast("PickField", form.fields[name])
