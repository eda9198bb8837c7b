"""The partners' people that a reminder to get in touch names, so that its reader can call from the mail.

It tells what its reader may see when it is written, and no more than the coordinators of the milestone's unit may see:
they may read the mail in the log.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from partnerships.mailing.wording import one_line
from partnerships.models import Agreement, Contact, Delivery, Milestone, MilestoneKind, SecurityEvent, Unit, User
from partnerships.models.users import read_tree
from partnerships.reports.people_to_contact import PersonToContact, people_to_contact

People = dict[int, list[PersonToContact]]
# A single mail names so many people, a line of a digest fewer; the milestone's page names more.
IN_MAIL, IN_LINE = 4, 2


@dataclass(frozen=True)
class PersonLine:
    """A person as a mail names them, in the active language."""

    name: str
    about: str
    phone: str
    email: str
    wechat: str
    marks: str

    @property
    def channels(self) -> str:
        """Return how to reach them, for the plain text."""
        wechat = f"{_('WeChat')} {self.wechat}" if self.wechat else ""
        return " · ".join(part for part in (self.phone, self.email, wechat) if part)


def people_of(milestones: Sequence[Milestone], reader: User) -> People:
    """Return whom to contact by the milestone's id, for milestones that wait for a contact.

    Up to four queries, however many milestones there are, and none where none waits for a contact.
    """
    agreements = {
        one.pk: one.agreement
        for one in milestones
        if one.kind == MilestoneKind.NEXT_CONTACT and isinstance(one.agreement, Agreement)
    }
    if not agreements:
        return {}
    at_most = IN_LINE if len(milestones) > 1 else IN_MAIL
    people = people_to_contact(agreements.values(), reader, at_most=at_most, units=read_tree(Unit))
    return {pk: people.get(agreement.pk, []) for pk, agreement in agreements.items()}


def disclosed_contacts(people: People) -> list[Contact]:
    """Return the contacts whose numbers or addresses the mail tells."""
    shown = (person for found in people.values() for person in found if person.sees_channels)
    return list({one.contact.pk: one.contact for one in shown if one.has_channels}.values())


def person_lines(people: Iterable[PersonToContact]) -> list[PersonLine]:
    return [_line(person) for person in people]


def _line(person: PersonToContact) -> PersonLine:
    contact, marks = person.contact, [_("liaison")] if person.is_liaison else []
    if person.reached_on is not None:
        marks.append(_("last reached on %(day)s") % {"day": date_format(person.reached_on)})
    if contact.permission_note:
        marks.append(contact.permission_note)
    phone, email, wechat = (contact.phone, contact.email, contact.wechat) if person.sees_channels else ("", "", "")
    return PersonLine(
        name=one_line(contact.name),
        about=" · ".join(one_line(str(part)) for part in (person.position, person.organization) if part),
        phone=one_line(phone),
        email=one_line(email),
        wechat=one_line(wechat),
        marks=" · ".join(marks),
    )


def log_disclosure(delivery: Delivery, contacts: Iterable[Contact]) -> None:
    """Write in the security log whose numbers the mail tells its reader: one line for each organization, one query.

    Call it in the transaction that stores the mail's text, so that neither is there without the other.
    """
    about = {one.organization.get_absolute_url(): str(one.organization) for one in contacts}
    events, kind = SecurityEvent.objects, SecurityEvent.Kind.CONTACTS_MAILED
    facts = [{"about": name, "link": link, "detail": delivery.get_absolute_url()} for link, name in about.items()]
    events.bulk_create(SecurityEvent(**events.values_of(kind, delivery.person, **each)) for each in facts)
