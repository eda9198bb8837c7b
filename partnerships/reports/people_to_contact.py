"""The contacts of an agreement's partners, with how to reach them and who was reached last."""

from dataclasses import dataclass

from django.db.models import Exists, F, Max, OuterRef

from partnerships.models import Agreement, Contact, User

SHOWN = 8


@dataclass(frozen=True)
class PersonToContact:
    """A contact; ``sees_channels`` says whether the reader may see phone, e-mail and WeChat."""

    contact: Contact
    sees_channels: bool
    is_last_reached: bool


def people_to_contact(agreement: Agreement, user: User) -> list[PersonToContact]:
    """Return the first ``SHOWN`` people of the partners whom ``user`` may see, those reached last first; one query."""
    partners = agreement.parties.filter(withdrew_on=None).exclude(organization=agreement.unit.organization_id or 0)
    rows = Contact.objects.visible_to(user).filter(is_active=True, organization__in=partners.values("organization"))
    rows = rows.select_related("organization", "unit").annotate(
        sees_channels=Exists(Contact.objects.with_personal_data_for(user).filter(pk=OuterRef("pk"))),
        reached_on=Max("contact_notes__happened_on"),
    )
    found = list(rows.order_by(F("reached_on").desc(nulls_last=True), "name", "pk")[:SHOWN])
    return [
        PersonToContact(row, row.sees_channels, is_last_reached=row is found[0] and row.reached_on is not None)
        for row in found
    ]
