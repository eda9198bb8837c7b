"""Placeholders for records of other units, on pages of rows that refer to them."""

from typing import TypeVar

from django.contrib.admin import ModelAdmin
from django.db.models import Model
from django.http import HttpRequest
from unfold.decorators import display

from partnerships.admin.base import FieldNames, FieldRows, FieldSets, PageBase
from partnerships.models import Activity, Agreement, ContactNote, Demand, Facility, HiddenRecord, Milestone, shown_to
from partnerships.models.hidden_records import restricted_fields
from partnerships.requests import user_of

Page = TypeVar("Page", bound=ModelAdmin)


class HiddenRecordsMixin(PageBase):
    """A page with a placeholder for each record that the row refers to and the user may not see."""

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> FieldSets:
        sets = super().get_fieldsets(request, obj)
        hidden = self._hidden(request, obj)
        return [
            (title, {**options, "fields": _with_placeholders(options["fields"], hidden)}) for title, options in sets
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> FieldNames:
        # A read-only field is not part of the form, so an edit keeps the hidden record.
        names = super().get_readonly_fields(request, obj)
        return (*names, *(f"hidden_{name}" for name in sorted(self._hidden(request, obj))))

    def _hidden(self, request: HttpRequest, obj: Model | None) -> frozenset[str]:
        """Return the names of the fields to hide."""
        if obj is None or user_of(request).sees_all_units:
            return frozenset()
        # Cached on the request: Django asks for the fields of a page many times.
        answers = request.__dict__.setdefault("_hidden_fields", {})
        fields = restricted_fields(type(obj))
        key = tuple(getattr(obj, field.attname) for field in fields)
        if key not in answers:
            hidden = {
                field.name
                for field in fields
                if isinstance(shown_to(user_of(request), getattr(obj, field.name)), HiddenRecord)
            }
            # The choice of who owes a milestone lists the parties of its agreement.
            answers[key] = frozenset(
                hidden | ({"party"} if self.model is Milestone and "agreement" in hidden else set())
            )
        return answers[key]

    @display(description=Agreement._meta.get_field("parent").verbose_name)
    def hidden_parent(self, row: Agreement) -> str:
        return str(HiddenRecord(Agreement, row.pk))

    @display(description=Agreement._meta.get_field("predecessor").verbose_name)
    def hidden_predecessor(self, row: Agreement) -> str:
        return str(HiddenRecord(Agreement, row.pk))

    @display(description=Activity._meta.get_field("agreement").verbose_name)
    def hidden_agreement(self, row: Model) -> str:
        return str(HiddenRecord(Agreement, row.pk))

    @display(description=Milestone._meta.get_field("activity").verbose_name)
    def hidden_activity(self, row: Milestone) -> str:
        return str(HiddenRecord(Activity, row.pk))

    @display(description=Milestone._meta.get_field("facility").verbose_name)
    def hidden_facility(self, row: Milestone) -> str:
        return str(HiddenRecord(Facility, row.pk))

    @display(description=Milestone._meta.get_field("demand").verbose_name)
    def hidden_demand(self, row: Milestone) -> str:
        return str(HiddenRecord(Demand, row.pk))

    @display(description=ContactNote._meta.get_field("milestone").verbose_name)
    def hidden_milestone(self, row: ContactNote) -> str:
        return str(HiddenRecord(Milestone, row.pk))

    @display(description=Milestone._meta.get_field("party").verbose_name)
    def hidden_party(self, row: Milestone) -> str:
        return "–"


def hides_records(page: type[Page]) -> type[Page]:
    """Return ``page`` with placeholders for records of other units.

    A decorator, because the mixin has to come before the page, whose own ``get_fieldsets`` names the fields.
    """
    return type(page.__name__, (HiddenRecordsMixin, page), {"__module__": page.__module__})


def _with_placeholders(fields: FieldRows, hidden: frozenset[str]) -> FieldRows:
    """Return the fields of a fieldset, also those that share a line, with placeholders for the hidden ones."""

    def shown(name: str) -> str:
        return f"hidden_{name}" if name in hidden else name

    return tuple(shown(row) if isinstance(row, str) else tuple(shown(name) for name in row) for row in fields)
