"""The recipients of a reminder: the audience of its rule, else the nearest fallback person, else the nearest leads."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

from django.db.models import Prefetch, Q
from django.utils import timezone

from partnerships.models import (
    AgreementParty,
    AgreementUnit,
    Contact,
    ContactPosition,
    Milestone,
    ReminderItem,
    ReminderPlan,
    Role,
    UnitMembership,
    User,
)
from partnerships.models.office_day import zone_named
from partnerships.models.reminders import reader_code
from partnerships.models.waiting import Leads, WaitsFor, waiting_people
from partnerships.reminders.rule_set import Audience, Units

Why = ReminderItem.Why


@dataclass(frozen=True)
class Recipient:
    """A colleague, or a contact of a partner, and why they get the reminder."""

    reader: User | Contact
    why: ReminderItem.Why

    @property
    def person(self) -> User | None:
        return self.reader if isinstance(self.reader, User) else None

    @property
    def contact(self) -> Contact | None:
        return self.reader if isinstance(self.reader, Contact) else None

    @property
    def declines_mail(self) -> bool:
        """Return whether this is a contact who asked for no mail; the reminder is recorded for them and not sent."""
        return self.contact is not None and getattr(self.contact, "is_mail_stopped", False)

    @property
    def code(self) -> str:
        is_ours = isinstance(self.reader, User)
        return reader_code(self.reader.pk if is_ours else None, None if is_ours else self.reader.pk)


@dataclass(frozen=True)
class Directory:
    """The people, units and contacts that decide who gets the reminders of some plans.

    Loading takes three queries however many plans there are, two with ``units``; contacts of parties take up to three more.
    """

    now: dt.datetime
    units: Units
    leads: Mapping[int, Sequence[int]]  # unit -> its leads
    people: dict[int, User]
    memberships: Mapping[int, set[int]]  # person -> units
    agreements: set[int]
    contacts: Mapping[int, Sequence[Contact]]  # party -> contacts of its organization

    @classmethod
    def load(cls, plans: Sequence[ReminderPlan], *, now: dt.datetime, units: Units | None = None) -> Self:
        """Load what ``plans`` need; they come with ``milestone__agreement`` and ``rule``. ``now`` decides who is away."""
        units = units or Units.load()
        concerned = {above for plan in plans for above in units.with_ancestors(plan.milestone.unit_id)}
        owners = {plan.milestone.owner_id for plan in plans if plan.milestone.owner_id}
        ids = owners | {plan.rule.named_person_id for plan in plans} | {units.fallbacks[unit] for unit in concerned}
        deputies = User.objects.filter(deputy_of__in=owners).order_by().values("pk")
        leads: dict[int, list[int]] = defaultdict(list)
        memberships: dict[int, set[int]] = defaultdict(set)
        is_lead = Q(unit__in=concerned, role=Role.LEAD)
        rows = UnitMembership.objects.filter(is_lead | Q(user__in=ids) | Q(user__in=deputies)).order_by("pk")
        for person, unit, role in rows.values_list("user_id", "unit_id", "role"):
            memberships[person].add(unit)
            if role == Role.LEAD and unit in concerned:
                leads[unit].append(person)
        ids |= {lead for found in leads.values() for lead in found}
        people = {person.pk: person for person in User.objects.filter(Q(pk__in=ids) | Q(pk__in=deputies))}
        agreements = {plan.milestone.agreement_id for plan in plans if plan.milestone.agreement_id}
        parties = {plan.milestone.party_id for plan in plans if plan.rule.audience == Audience.PARTY}
        contacts = _contacts(parties, units)
        return cls(now, units, leads, people, memberships, agreements, contacts)

    @cached_property
    def participants(self) -> defaultdict[int, set[int]]:
        """Agreement -> participating units. Read on demand: most readers see a milestone through its own unit."""
        found: defaultdict[int, set[int]] = defaultdict(set)
        rows = AgreementUnit.objects.filter(agreement__in=self.agreements).order_by()
        for agreement, unit in rows.values_list("agreement_id", "unit_id"):
            found[agreement].add(unit)
        return found

    def recipients(self, plan: ReminderPlan) -> list[Recipient]:
        """Return who gets the reminder; empty when nobody can be notified.

        Every recipient is active, has an address and may see the milestone.
        """
        audience = getattr(self, f"_{plan.rule.audience}")(plan)
        return audience or self._fallback(plan.milestone) or self._lead(plan)

    def helpers(self, milestone: Milestone, *, but: int | None) -> list[User]:
        """Return who is notified that a mail about ``milestone`` did not reach person ``but``, or a contact.

        That is the nearest other fallback person, else the nearest other leads.
        """
        levels = self.units.with_ancestors(milestone.unit_id)
        asked = [[self.units.fallbacks[unit]] for unit in levels] + [self.leads.get(unit, ()) for unit in levels]
        others = ([pk for pk in ids if pk != but] for ids in asked)
        found = (self._reachable(ids, Why.FALLBACK, milestone) for ids in others)
        return next(([one.person for one in helpers if one.person] for helpers in found if helpers), [])

    def may_see(self, person: User, milestone: Milestone) -> bool:
        """Return what ``Milestone.objects.visible_to`` would say, without a query for each person and milestone."""
        if not person.is_active:
            return False
        if person.sees_all_units:
            return True
        own, agreement = {milestone.unit_id}, milestone.agreement
        if agreement is None:
            return self._is_member_above(person, own)
        own.add(agreement.unit_id)
        return self._is_member_above(person, own) or self._is_member_above(person, self.participants[agreement.pk])

    def _is_member_above(self, person: User, units: Iterable[int]) -> bool:
        """Return whether ``person`` has a role in one of ``units`` or in a unit above it."""
        memberships = self.memberships.get(person.pk, set())
        return any(not memberships.isdisjoint(self.units.with_ancestors(unit)) for unit in units)

    def _reachable(self, ids: Iterable[int | None], why: ReminderItem.Why, milestone: Milestone) -> list[Recipient]:
        people = [self.people[pk] for pk in ids if pk is not None and pk in self.people]
        return [Recipient(one, why) for one in people if one.is_reachable and self.may_see(one, milestone)]

    # One method for each audience of a rule; ``recipients`` finds them by name.

    def _owner(self, plan: ReminderPlan) -> list[Recipient]:
        if plan.milestone.waits_for == WaitsFor.LEADS:
            return self._leads_asked(plan.milestone)
        owner = self.people.get(plan.milestone.owner_id or 0)
        if owner is not None and _is_away(owner, self.now):
            stand_in = self._reachable([owner.deputy_id], Why.STAND_IN, plan.milestone)
            if stand_in:
                return stand_in
        return self._reachable([plan.milestone.owner_id], Why.OWNER, plan.milestone)

    def _deputy(self, plan: ReminderPlan) -> list[Recipient]:
        owner = self.people.get(plan.milestone.owner_id or 0)
        return self._reachable([owner.deputy_id], Why.DEPUTY, plan.milestone) if owner else []

    def _named(self, plan: ReminderPlan) -> list[Recipient]:
        return self._reachable([plan.rule.named_person_id], Why.NAMED, plan.milestone)

    def _party(self, plan: ReminderPlan) -> list[Recipient]:
        # An agreement that was never signed binds no party, so its contacts get no mail about it.
        agreement = plan.milestone.agreement
        contacts = self.contacts.get(plan.milestone.party_id or 0, ())
        if agreement is not None and agreement.is_signed and contacts:
            asked = [Recipient(contact, Why.PARTY) for contact in contacts]
            if not all(one.declines_mail for one in asked):
                return asked
            ours = self._for_party(plan) or self._fallback(plan.milestone) or self._lead(plan)
            return [*asked, *ours] if ours else []  # somebody has to ask the party in place of the mail
        return self._for_party(plan)

    def _for_party(self, plan: ReminderPlan) -> list[Recipient]:
        return [replace(owner, why=Why.FOR_PARTY) for owner in self._owner(plan)]

    def _lead(self, plan: ReminderPlan) -> list[Recipient]:
        if plan.milestone.waits_for == WaitsFor.LEADS:
            return self._leads_asked(plan.milestone, is_escalated=True)
        levels = self.units.with_ancestors(plan.milestone.unit_id)
        found = (self._reachable(self.leads.get(unit, ()), Why.LEAD, plan.milestone) for unit in levels)
        return next((leads for leads in found if leads), [])

    def _leads_asked(self, milestone: Milestone, *, is_escalated: bool = False) -> list[Recipient]:
        """Return the people a milestone waits for as leads; escalated, those of the next unit above, or the office."""
        leads = self._all_leads
        asked = waiting_people([milestone], leads)[milestone.pk]
        if is_escalated:
            asked = leads.responsible(milestone.unit_id, but=asked.union(milestone.excluded_ids or ())) or asked
        found = [self.people[pk] for pk in sorted(asked) if pk in self.people]
        return [
            Recipient(one, Why.FALLBACK if one.pk in leads.office else Why.LEAD)
            for one in found
            if one.is_reachable and self.may_see(one, milestone)
        ]

    @cached_property
    def _all_leads(self) -> Leads:
        """Return the leads of all units; four queries, made when something waits for leads.

        The office's staff are added to ``people``.
        """
        leads = Leads.load()
        staff = User.objects.filter(pk__in=leads.office - self.people.keys())
        self.people.update({person.pk: person for person in staff})
        return leads

    def _fallback(self, milestone: Milestone) -> list[Recipient]:
        levels = self.units.with_ancestors(milestone.unit_id)
        found = (self._reachable([self.units.fallbacks[unit]], Why.FALLBACK, milestone) for unit in levels)
        return next((person for person in found if person), [])


def address_key(address: str) -> str:
    """Return an e-mail address as it is compared: mail servers treat upper and lower case alike."""
    return address.strip().casefold()


def _contacts(parties: set[int | None], units: Units) -> dict[int, list[Contact]]:
    """Return party -> the contacts of its organization who may get mail without asking first.

    An agreement's unit writes to the contacts that its people see: those entered in it or below it, those that are
    shared, and those of the office. Of contacts who share an address, such as that of an office, only the first is returned: one mail is enough.
    """
    found: dict[int, list[Contact]] = defaultdict(list)
    known = [party for party in parties if party is not None]
    if known:
        rows = AgreementParty.objects.filter(pk__in=known, withdrew_on=None)
        party_of = defaultdict(list)
        for party, organization, unit in rows.values_list("pk", "organization", "agreement__unit"):
            party_of[organization].append((party, unit))
        seen: set[tuple[int, str]] = set()
        current = Prefetch("positions", ContactPosition.objects.current())
        for contact in Contact.objects.by_mail().at(list(party_of)).prefetch_related(current).order_by("pk"):
            works_at = {contact.organization_id, *(other.organization_id for other in contact.positions.all())}
            for party, unit in (each for organization in works_at for each in party_of.get(organization, ())):
                mailbox = (party, address_key(contact.email))
                if mailbox not in seen and _is_known_to(unit, contact, units):
                    seen.add(mailbox)
                    found[party].append(contact)
    return found


def _is_known_to(unit: int, contact: Contact, units: Units) -> bool:
    """Whether people who work in the unit see the contact's address."""
    is_of_unit = contact.unit_id is not None and unit in units.with_ancestors(contact.unit_id)
    return contact.is_open_to_holders or is_of_unit


def _is_away(person: User, now: dt.datetime) -> bool:
    if person.absent_from is None or person.absent_until is None:
        return False
    today = timezone.localdate(now, zone_named(person.time_zone))
    return person.absent_from <= today <= person.absent_until
