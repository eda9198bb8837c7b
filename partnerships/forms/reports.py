"""Forms of reports: what one is about with its texts, and the confirmation of its figures."""

import hashlib
import json
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from partnerships.exceptions import InvalidInput
from partnerships.forms.office_day import office_today
from partnerships.forms.picks import PickField
from partnerships.forms.records import RecordForm, RecordLine
from partnerships.forms.steps import VerbForm
from partnerships.models import Report, ReportText, User
from partnerships.reports.frozen import to_json
from partnerships.reports.report_figures import ReportFigures
from partnerships.workflows.reports import confirm_report, edit_report, register_report


class TextLineForm(RecordLine):
    class Meta:
        model = ReportText
        fields = ["section", "text"]
        widgets = {"text": forms.Textarea(attrs={"rows": 8})}


class ReportForm(RecordForm):
    register, edit = staticmethod(register_report), staticmethod(edit_report)
    lines = ((ReportText, TextLineForm),)
    line_words = {ReportText: (gettext_lazy("Texts"), gettext_lazy("Text"), gettext_lazy("Add a text"))}

    programme = PickField("programme", label=gettext_lazy("Program"), required=False)

    class Meta:
        model = Report
        fields = ["kind", "year", "is_academic", "unit", "programme", "language"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is None:
            self.fields["year"].initial = office_today(self.instance).year


class ConfirmReportForm(VerbForm):
    """Confirms the figures that the page shows; refused where the records changed after it was opened."""

    counts_unconfirmed = forms.BooleanField(
        label=gettext_lazy("Count renewals that nobody has confirmed as in force"),
        required=False,
        help_text=gettext_lazy("Without it they are counted apart, in the key figures and in the table of units."),
    )
    seen = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, figures: ReportFigures, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.frozen = to_json(figures)
        self.fields["seen"].initial = _fingerprint(self.frozen)

    def call(self, actor: User, values: dict[str, Any]) -> object:
        if values.pop("seen") != _fingerprint(self.frozen):
            data = self.data.copy()  # type: ignore[attr-defined]  # what was sent is a QueryDict
            data["seen"] = _fingerprint(self.frozen)  # the page shows the new figures
            self.data = data
            raise InvalidInput(
                _("The records changed since you opened this page. Look at the new figures and confirm again.")
            )
        return confirm_report(self.row, actor=actor, now=timezone.now(), on=self.today, figures=self.frozen, **values)


def _fingerprint(figures: Any) -> str:
    return hashlib.sha256(json.dumps(figures, sort_keys=True).encode()).hexdigest()
