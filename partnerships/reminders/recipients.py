"""Who is told: the audience of the rule, else the fallback person of the unit or of the nearest unit above it, else leads."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

from django.db.models import Q
from django.utils import timezone

from partnerships.models import (
    AgreementParty,
    AgreementUnit,
    Contact,
    Milestone,
    ReminderItem,
    ReminderPlan,
    ReminderRule,
    Role,
    Unit,
    UnitMembership,
    User,
)
from partnerships.models.reminders import reader_code
from partnerships.models.users import Tree
from partnerships.reminders.rule_set import zone_named

Why = ReminderItem.Why
Audience = ReminderRule.Audience


@dataclass(frozen=True)
class Recipient:
    """Somebody of ours, or a contact of a partner."""

    reader: User | Contact
    why: ReminderItem.Why

    @property
    def person(self) -> User | None:
        return self.reader if isinstance(self.reader, User) else None

    @property
    def contact(self) -> Contact | None:
        return self.reader if isinstance(self.reader, Contact) else None

    @property
    def code(self) -> str:
        is_ours = isinstance(self.reader, User)
        return reader_code(self.reader.pk if is_ours else None, None if is_ours else self.reader.pk)


@dataclass(frozen=True)
class Directory:
    """What decides who is told about a set of plans, read in five queries however many plans there are.

    Two more where a rule speaks to a party.
    """

    now: dt.datetime
    units: Tree
    fallbacks: Mapping[int, int | None]
    leads: dict[int, list[int]]
    people: dict[int, User]
    memberships: dict[int, set[int]]
    participants: dict[int, set[int]]
    contacts: dict[int, list[Contact]]  # of parties

    @classmethod
    def load(cls, plans: Sequence[ReminderPlan], *, now: dt.datetime) -> Self:
        """``plans`` come with ``milestone``, ``milestone.agreement`` and ``rule``; ``now`` says who is away."""
        rows = list(Unit.objects.values_list("pk", "parent_id", "fallback_person_id"))
        units = Tree({pk: parent for pk, parent, _fallback in rows})
        fallbacks = {pk: fallback for pk, _parent, fallback in rows}
        concerned = {above for plan in plans for above in units.with_ancestors(plan.milestone.unit_id)}
        leads = _grouped(UnitMembership.objects.filter(unit__in=concerned, role=Role.LEAD), "unit_id", "user_id")
        owners = {plan.milestone.owner_id for plan in plans if plan.milestone.owner_id}
        ids = owners | {plan.rule.named_person_id for plan in plans} | {fallbacks[unit] for unit in concerned}
        ids |= {lead for unit in concerned for lead in leads[unit]}
        people = {person.pk: person for person in User.objects.filter(Q(pk__in=ids) | Q(deputy_of__in=owners))}
        memberships = _grouped(UnitMembership.objects.filter(user__in=people), "user_id", "unit_id")
        agreements = {plan.milestone.agreement_id for plan in plans}
        participants = _grouped(AgreementUnit.objects.filter(agreement__in=agreements), "agreement_id", "unit_id")
        contacts = _contacts({plan.milestone.party_id for plan in plans if plan.rule.audience == Audience.PARTY})
        return cls(now, units, fallbacks, leads, people, _sets(memberships), _sets(participants), contacts)

    def recipients(self, plan: ReminderPlan) -> list[Recipient]:
        """Nobody who is inactive, has no address or may not see the milestone; empty when nobody at all can be told."""
        audience = getattr(self, f"_{plan.rule.audience}")(plan)
        return audience or self._fallback(plan.milestone) or self._lead(plan)

    def helpers(self, milestone: Milestone, *, but: int | None) -> list[User]:
        """Who hears that a mail about ``milestone`` did not reach ``but`` (or a contact): the nearest other fallback person.

        Without one, the leads of the unit or of the nearest unit above it; empty when there is nobody else.
        """
        levels = self.units.with_ancestors(milestone.unit_id)
        asked = [[self.fallbacks[unit]] for unit in levels] + [self.leads.get(unit, []) for unit in levels]
        others = ([pk for pk in ids if pk != but] for ids in asked)
        found = (self._told(ids, Why.FALLBACK, milestone) for ids in others)
        return next(([one.person for one in told if one.person] for told in found if told), [])

    def may_see(self, person: User, milestone: Milestone) -> bool:
        """``Milestone.objects.visible_to`` for many people and milestones at once."""
        if not person.is_active:
            return False
        if person.sees_all_units:
            return True
        seeing = {milestone.unit_id, *self.participants.get(milestone.agreement_id or 0, ())}
        if milestone.agreement:
            seeing.add(milestone.agreement.unit_id)
        reaching = {above for unit in seeing for above in self.units.with_ancestors(unit)}
        return bool(reaching & self.memberships.get(person.pk, set()))

    def _told(self, ids: Iterable[int | None], why: ReminderItem.Why, milestone: Milestone) -> list[Recipient]:
        people = [self.people[pk] for pk in ids if pk in self.people]
        return [Recipient(one, why) for one in people if one.is_reachable and self.may_see(one, milestone)]

    def _owner(self, plan: ReminderPlan) -> list[Recipient]:
        owner = self.people.get(plan.milestone.owner_id or 0)
        if owner is not None and _is_away(owner, self.now):
            stand_in = self._told([owner.deputy_id], Why.STAND_IN, plan.milestone)
            if stand_in:
                return stand_in
        return self._told([plan.milestone.owner_id], Why.OWNER, plan.milestone)

    def _deputy(self, plan: ReminderPlan) -> list[Recipient]:
        owner = self.people.get(plan.milestone.owner_id or 0)
        return self._told([owner.deputy_id], Why.DEPUTY, plan.milestone) if owner else []

    def _named(self, plan: ReminderPlan) -> list[Recipient]:
        return self._told([plan.rule.named_person_id], Why.NAMED, plan.milestone)

    def _party(self, plan: ReminderPlan) -> list[Recipient]:
        """What was never signed is nobody's promise."""
        agreement = plan.milestone.agreement
        contacts = self.contacts.get(plan.milestone.party_id or 0, [])
        if agreement is not None and agreement.is_signed and contacts:
            return [Recipient(contact, Why.PARTY) for contact in contacts]
        return [replace(owner, why=Why.FOR_PARTY) for owner in self._owner(plan)]

    def _lead(self, plan: ReminderPlan) -> list[Recipient]:
        levels = self.units.with_ancestors(plan.milestone.unit_id)
        found = (self._told(self.leads.get(unit, []), Why.LEAD, plan.milestone) for unit in levels)
        return next((leads for leads in found if leads), [])

    def _fallback(self, milestone: Milestone) -> list[Recipient]:
        levels = self.units.with_ancestors(milestone.unit_id)
        found = (self._told([self.fallbacks[unit]], Why.FALLBACK, milestone) for unit in levels)
        return next((person for person in found if person), [])


def _contacts(parties: set[int | None]) -> dict[int, list[Contact]]:
    """Party -> the contacts of its organization we may write to: reachable by e-mail, and no need to ask before."""
    found: dict[int, list[Contact]] = defaultdict(list)
    known = [party for party in parties if party is not None]
    if known:
        rows = AgreementParty.objects.filter(pk__in=known, withdrew_on=None)
        party_of = defaultdict(list)
        for party, organization in rows.values_list("pk", "organization"):
            party_of[organization].append(party)
        for contact in Contact.objects.by_mail().filter(organization__in=list(party_of)).order_by("pk"):
            for party in party_of[contact.organization_id]:
                found[party].append(contact)
    return found


def _is_away(person: User, now: dt.datetime) -> bool:
    if person.absent_from is None or person.absent_until is None:
        return False
    today = timezone.localdate(now, zone_named(person.time_zone))
    return person.absent_from <= today <= person.absent_until


def _grouped(rows: object, key: str, value: str) -> dict[int, list[int]]:
    found: dict[int, list[int]] = defaultdict(list)
    for group, member in rows.order_by("pk").values_list(key, value):  # type: ignore[attr-defined]
        found[group].append(member)
    return found


def _sets(groups: dict[int, list[int]]) -> dict[int, set[int]]:
    return {key: set(values) for key, values in groups.items()}
