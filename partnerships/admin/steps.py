"""Steps and verbs as buttons on a row's page; each leads to one confirm page, which applies the shared form on POST.

The theme's own actions run on GET, so that a link in a mail could terminate an agreement; these do not.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from unfold import widgets

from partnerships.admin.base import PageBase, status_badge
from partnerships.forms.consequences import add_consequences
from partnerships.forms.domain import DomainFormMixin
from partnerships.forms.office_day import office_today
from partnerships.forms.steps import StepOffer, VerbForm, step_form, step_offers
from partnerships.models.base import VersionedModel
from partnerships.permissions import refusal
from partnerships.requests import user_of
from partnerships.statuses import Transition
from partnerships.texts import LazyText

# Makes the form of a verb for a row, from what was sent if anything was.
MakeForm = Callable[[Any, HttpRequest, QueryDict | None], DomainFormMixin]


@dataclass(frozen=True)
class Verb:
    """Something that can be done with a row beside the steps of its transition table.

    ``make_form(row, request, data)`` builds its form; ``fits`` says whether the row's state allows it at all.
    """

    name: str
    label: LazyText
    permission: str
    make_form: MakeForm
    fits: Callable[[Any], bool]
    is_danger: bool = False


@dataclass(frozen=True)
class Button:
    """A verb or step on offer: where it leads, or why this person may not take it."""

    name: str
    label: LazyText
    done: str  # said once it is done
    refusal: LazyText | None
    link: str
    kind: str  # primary, plain, danger or correction


class StepsMixin(PageBase):
    """Buttons and a confirm page, for admins of rows with a status, with verbs, or both."""

    verbs: tuple[Verb, ...] = ()
    has_steps = True
    change_form_outer_before_template = "admin/partnerships/steps.html"
    # Closing steps are red: they end something.
    danger_steps = frozenset({"terminate", "cancel"})

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_step"
        view = self.admin_site.admin_view(self.step_view)
        return [path("<int:object_id>/steps/<slug:step>/", view, name=name), *super().get_urls()]

    def buttons(self, request: HttpRequest, row: Model) -> list[Button]:
        """Return what can be done with ``row`` in its state: ordinary steps, verbs, corrections last."""
        offers = step_offers(row, user_of(request)) if self.has_steps else []
        ordinary = [self._step_button(row, offer) for offer in offers if not offer.transition.is_correction]
        corrections = [self._step_button(row, offer) for offer in offers if offer.transition.is_correction]
        return [*ordinary, *self._verb_buttons(request, row), *corrections]

    def _step_button(self, row: Model, offer: StepOffer) -> Button:
        step = offer.transition
        done = _("%(step)s.") % {"step": step.past}
        return Button(step.name, step.label, done, offer.refusal, self._link(row, step.name), self._kind(step))

    def _kind(self, step: Transition) -> str:
        if step.is_correction:
            return "correction"
        if step.name in self.danger_steps:
            return "danger"
        return "primary" if step.is_forward else "plain"

    def _verb_buttons(self, request: HttpRequest, row: Model) -> Iterable[Button]:
        for verb in self.verbs:
            if verb.fits(row):
                reason = refusal(user_of(request), verb.permission, row)
                kind = "danger" if verb.is_danger else "plain"
                done = _("“%(step)s”: done.") % {"step": verb.label}
                yield Button(verb.name, verb.label, done, reason, self._link(row, verb.name), kind)

    def _link(self, row: Model, name: str) -> str:
        opts = self.opts
        return reverse(f"admin:{opts.app_label}_{opts.model_name}_step", args=[row.pk, name])

    def step_view(self, request: HttpRequest, object_id: int, step: str) -> HttpResponse:
        """Ask on GET, act on POST. A step that the status or the person's role does not allow gets no form."""
        row = self.get_object(request, str(object_id))
        if row is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, str(object_id))
        button = next((button for button in self.buttons(request, row) if button.name == step), None)
        if button is None:
            messages.warning(request, _("This is no longer possible; somebody may already have done it."))
            return self._to_row(row)
        if button.refusal is not None:
            raise PermissionDenied(str(button.refusal))
        form = self._form(row, step, request)
        if request.method == "POST" and form.is_valid() and form.apply(user_of(request)) is not None:
            messages.success(request, add_consequences(button.done, row, user_of(request), now=timezone.now()))
            return self._to_row(row)
        return self._ask(request, row, form, button)

    def _form(self, row: Model, name: str, request: HttpRequest) -> DomainFormMixin:
        data = request.POST if request.method == "POST" else None
        verb = next((verb for verb in self.verbs if verb.name == name), None)
        if verb is not None:
            return verb.make_form(row, request, data)
        return step_form(row, name, today=office_today(row), data=data)

    def _ask(self, request: HttpRequest, row: VersionedModel, form: DomainFormMixin, button: Button) -> HttpResponse:
        now = self.get_object(request, str(row.pk)) or row
        if form.is_bound and isinstance(form, VerbForm):
            form.send_version_of(now)
        dress(form)
        context = {
            **self.admin_site.each_context(request),
            "title": button.label,
            "subtitle": str(now),
            "opts": self.opts,
            "original": now,
            "status": status_badge(now) if hasattr(now, "status") else "",
            "form": form,
            "button": button,
            "back": self._row_link(now),
            "media": self.media + form.media,
        }
        return TemplateResponse(request, "admin/partnerships/confirm.html", context)

    def _row_link(self, row: Model) -> str:
        opts = self.opts
        return reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=[row.pk])

    def _to_row(self, row: Model) -> HttpResponse:
        return HttpResponseRedirect(self._row_link(row))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: object, **kwargs: object
    ) -> HttpResponse:
        row = context.get("original")
        if row is not None and row.pk:
            context["buttons"] = self.buttons(request, row)
            refused = [button for button in context["buttons"] if button.refusal is not None]
            context["refused"] = sorted(refused, key=lambda button: str(button.refusal))
            context["status"] = status_badge(row) if hasattr(row, "status") else ""
        return super().render_change_form(request, context, *args, **kwargs)


_CLASSES: tuple[tuple[type[forms.Widget], list[str]], ...] = (
    (forms.CheckboxInput, widgets.SWITCH_CLASSES),
    (forms.Textarea, widgets.TEXTAREA_CLASSES),
    (forms.Select, widgets.SELECT_CLASSES),
    (forms.widgets.Input, widgets.INPUT_CLASSES),
)


def dress(form: forms.BaseForm) -> None:
    """Give the widgets of a shared form the theme's classes."""
    for field in form.fields.values():
        for widget_type, classes in _CLASSES:
            if isinstance(field.widget, widget_type) and "class" not in field.widget.attrs:
                field.widget.attrs["class"] = " ".join(classes)
                break
