"""Forms for what can be done with an organization."""

from typing import Any

from partnerships.forms.steps import VerbForm
from partnerships.models import Organization, User
from partnerships.workflows import organizations


class ArchiveForm(VerbForm):
    def call(self, actor: User, values: dict[str, Any]) -> Organization:
        return organizations.archive_organization(self.row, actor=actor, on=self.today)


class RestoreForm(VerbForm):
    def call(self, actor: User, values: dict[str, Any]) -> Organization:
        return organizations.restore_organization(self.row, actor=actor)
