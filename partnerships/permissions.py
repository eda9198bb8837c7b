"""Permissions: one answer for pages, admin, workflows, files, feeds and mail links.

``visible_to(user)`` on a queryset says which rows exist for a person; ``may(user, action, row)`` what they may do with
one. Django's own permissions and its superuser shortcut are not asked.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Exists, ForeignKey, Model, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from partnerships.acts import note_refusal
from partnerships.exceptions import NotAllowed
from partnerships.models import (
    Agreement,
    Answer,
    Citation,
    ColumnSet,
    Contact,
    ContactPosition,
    Delivery,
    Demand,
    Document,
    FeedToken,
    HiddenRecord,
    ImportRecipe,
    Milestone,
    MilestoneKind,
    Organization,
    OrganizationUnit,
    Payment,
    ReminderItem,
    ReminderRule,
    Report,
    Role,
    Unit,
    UnitMembership,
    User,
    UserSession,
)
from partnerships.models.documents import LEAST_ROLES
from partnerships.models.drafts import people_behind_draft
from partnerships.models.hidden_records import restricted_fields
from partnerships.models.milestones import CLOSED_BY_STEP, DECISION_KINDS
from partnerships.statuses import AgreementStatus
from partnerships.texts import LazyText


@dataclass(frozen=True)
class Grant:
    """The users who may take an action.

    ``own``: least role in the unit the row belongs to. ``participating``: least role in a unit that takes part in the
    row's agreement. ``anywhere``: least role in any unit, for what is shared. ``staff``: the cooperation office,
    ``system``: system administrators, ``user_admin``: user administrators, ``auditor``: auditors.
    """

    own: Role | None = None
    participating: Role | None = None
    anywhere: Role | None = None
    staff: bool = False
    system: bool = False
    user_admin: bool = False
    auditor: bool = False


def _everyone(role: Role = Role.VIEWER) -> Grant:
    return Grant(anywhere=role, staff=True, system=True)


def _own(role: Role, *, participating: Role | None = None) -> Grant:
    return Grant(own=role, participating=participating, staff=True, system=True)


_LEAD_ALONE = Grant(own=Role.LEAD)
_OFFICE = Grant(staff=True, system=True)
_FOLLOW_UP = _own(Role.COORDINATOR, participating=Role.COORDINATOR)
_SEE = _own(Role.VIEWER, participating=Role.VIEWER)

ACTIONS: Mapping[str, Grant] = {
    "organization.view": _everyone(),
    "organization.view_details": _own(Role.VIEWER),
    "organization.add": _everyone(Role.COORDINATOR),
    "organization.edit": _own(Role.COORDINATOR),
    "organization.archive": _own(Role.LEAD),
    "organization.merge": _OFFICE,
    "contact.view": _own(Role.VIEWER),
    "contact.view_personal": _own(Role.COORDINATOR),
    "contact.edit": _own(Role.COORDINATOR),
    "agreement.view": _SEE,
    "agreement.add": _own(Role.COORDINATOR),
    "agreement.edit": _own(Role.COORDINATOR),
    "agreement.submit": _own(Role.COORDINATOR),
    "agreement.record_approval": _own(Role.COORDINATOR),
    "agreement.cancel": _own(Role.COORDINATOR),
    "agreement.record_signed": _own(Role.COORDINATOR),
    "agreement.approve": _LEAD_ALONE,
    "agreement.return": _LEAD_ALONE,
    "agreement.suspend": _LEAD_ALONE,
    "agreement.resume": _LEAD_ALONE,
    "agreement.complete": _LEAD_ALONE,
    "agreement.terminate": _LEAD_ALONE,
    "agreement.end_by_notice": _LEAD_ALONE,
    "agreement.correct": _LEAD_ALONE,
    # The office files signed papers for everybody: signatures, renewals, amendments, accessions.
    "agreement.sign": Grant(own=Role.LEAD, staff=True),
    "agreement.confirm_signing": Grant(own=Role.LEAD, staff=True),
    "agreement.amend": Grant(own=Role.LEAD, staff=True),
    "agreement.delete": _own(Role.COORDINATOR),
    "agreement.follow_up": _FOLLOW_UP,
    "payment.view": _SEE,
    "payment.edit": _own(Role.COORDINATOR),
    "payment.receive": _FOLLOW_UP,
    "payment.correct_receipt": _own(Role.COORDINATOR),
    "milestone.view": _SEE,
    "milestone.add": _FOLLOW_UP,
    "milestone.edit": _own(Role.COORDINATOR),
    "milestone.act": _own(Role.COORDINATOR),
    "milestone.move": _own(Role.COORDINATOR),
    "milestone.snooze": _own(Role.COORDINATOR),
    "milestone.assign": _own(Role.COORDINATOR),
    "milestone.accept": _own(Role.LEAD),
    "milestone.waive": _own(Role.LEAD),
    "milestone.correct": _own(Role.LEAD),
    "activity.view": _SEE,
    "activity.add": _FOLLOW_UP,
    "activity.edit": _own(Role.COORDINATOR),
    "activity.correct": _own(Role.COORDINATOR),
    "contact_note.view": _SEE,
    "contact_note.add": _FOLLOW_UP,
    "contact_note.edit": _own(Role.COORDINATOR),
    "document.view": _SEE,
    "document.upload": _FOLLOW_UP,
    "document.replace": _own(Role.COORDINATOR),
    "event.view": _everyone(),
    "event.view_minutes": _own(Role.VIEWER),
    "event.add": _own(Role.COORDINATOR),
    "event.edit": _own(Role.COORDINATOR),
    "event.correct": _own(Role.LEAD),
    "facility.view": _SEE,
    "facility.add": _FOLLOW_UP,
    "facility.edit": _own(Role.COORDINATOR),
    "facility.correct": _own(Role.LEAD),
    "demand.view": _SEE,
    "demand.add": _own(Role.COORDINATOR),
    "demand.edit": _own(Role.COORDINATOR),
    "demand.correct": _own(Role.COORDINATOR),
    "answer.edit": _FOLLOW_UP,  # the unit asked, and the demand's unit in its place
    "achievement.view": _everyone(),
    "achievement.edit": _own(Role.COORDINATOR),
    "programme.view": _everyone(),
    "programme.edit": _own(Role.COORDINATOR),
    "honour.view": _everyone(),
    "honour.edit": _own(Role.COORDINATOR),
    "honour.correct": _own(Role.LEAD),
    "figure.view": _everyone(),
    "figure.edit": _own(Role.COORDINATOR),
    "figure.confirm": Grant(own=Role.LEAD, staff=True),
    "report.view": _own(Role.VIEWER),
    "report.edit": _own(Role.COORDINATOR),
    "report.reopen": _own(Role.COORDINATOR),
    "report.confirm": Grant(own=Role.LEAD, staff=True),
    "source.view": _everyone(),
    "source.add": _everyone(Role.COORDINATOR),  # whoever quotes a figure names where from
    "source.edit": _OFFICE,
    "citation.add": _own(Role.COORDINATOR),
    "citation.edit": _OFFICE,
    "reference.view": _everyone(),
    "reference.edit": _OFFICE,
    "reminder_rule.view": _everyone(),
    "reminder_rule.edit": _own(Role.LEAD),
    "delivery.view": _SEE,
    "delivery.view_body": _own(Role.COORDINATOR),
    "delivery.resend": _own(Role.COORDINATOR),
    "delivery.release": _own(Role.COORDINATOR),
    "mail_hold.edit": _OFFICE,
    "operations.view": _OFFICE,
    "team.view": _everyone(Role.LEAD),
    "history.view": replace(_SEE, auditor=True),
    "history.search": Grant(staff=True, system=True, auditor=True),
    "security.view": Grant(system=True, auditor=True),
    "feed.own": Grant(),
    "session.own": Grant(),
    "export": _everyone(),
    # Each row is asked again by the verb that saves it. What the office brings in for no unit is the office's.
    "column_set.edit": _own(Role.COORDINATOR),
    "import.view": _own(Role.COORDINATOR),
    "import.run": _own(Role.COORDINATOR),
    "import.undo": _own(Role.COORDINATOR),
    "import_recipe.edit": Grant(),
    "unit.view": Grant(anywhere=Role.VIEWER, staff=True, system=True, user_admin=True),
    "unit.edit": Grant(user_admin=True, system=True),
    "role.grant": Grant(user_admin=True, system=True),
    "user.view": Grant(user_admin=True, system=True),
    "user.edit": Grant(user_admin=True, system=True),
    "user.edit_login": Grant(user_admin=True, system=True),
    "user.edit_preferences": Grant(),
    "user.view_reminders": _own(Role.LEAD),
    "user.grant_admin": Grant(system=True),
    # An account's or a contact's.
    "person.export_data": Grant(system=True),
    "person.erase": Grant(system=True),
}


def may(user: User, action: str, obj: Model | None = None) -> bool:
    """Whether ``user`` may take ``action`` on ``obj``.

    Without ``obj``: whether they may take it on any row at all, which is what menus and *add* buttons ask.
    An unknown action is a ``KeyError``: a typing slip must not pass as a refusal.
    """
    return refusal(user, action, obj) is None


def refusal(user: User, action: str, obj: Model | None = None) -> LazyText | None:
    """Return None if ``user`` may take the action, otherwise the reason to show."""
    if action == "history.view" and isinstance(obj, User) and not (user.is_authenticated and user.is_auditor):
        action = "user.view"  # the history of an account says what the account says
    if action.startswith("demand.") and isinstance(obj, Answer):
        obj = obj.demand  # whoever asked chooses among the answers
    grant = ACTIONS[action]
    if not user.is_authenticated or not user.is_active:
        return _("Please log in.")
    if not _has_grant(user, grant, obj) and not _owns(user, action, obj):
        if isinstance(obj, ReminderRule) and obj.unit_id is None and obj.agreement_id is None:
            return _("Rules for all units are the office's; choose a unit or an agreement.")
        if isinstance(obj, ColumnSet) and obj.unit_id is None:
            return _("Only the office keeps column sets for everybody; choose a unit.")
        return _who_may(grant)
    veto = VETOES.get(action)
    return veto(user, obj) if veto and obj is not None else None


def may_enter_admin(user: User) -> bool:
    """Whether the user is office staff, an administrator of accounts or of the system, an auditor, or lead of a unit."""
    if not user.is_authenticated or not user.is_active:
        return False
    is_administrator = user.is_staff or user.is_superuser or user.is_user_admin
    return is_administrator or user.is_auditor or user.scope.has(Role.LEAD)


def require(actor: User | None, action: str, obj: Model | None = None) -> None:
    """Raise ``NotAllowed`` with the reason. ``actor`` None is the system itself: commands and derived steps."""
    if actor is None:
        return
    reason = refusal(actor, action, obj)
    if reason is not None:
        note_refusal(str(reason))
        raise NotAllowed(reason)


def _has_grant(user: User, grant: Grant, obj: Model | None) -> bool:
    if user.is_superuser:
        return grant.system  # where the table says never, being staff or a member as well does not help
    held = (grant.staff and user.is_staff, grant.user_admin and user.is_user_admin, grant.auditor and user.is_auditor)
    if any(held):
        return True
    if grant.anywhere is not None and user.scope.has(grant.anywhere):
        return True
    if obj is None:
        return grant.own is not None and user.scope.has(grant.own)
    return _holds(user, grant.own, _owning_units(obj)) or (
        grant.participating is not None and _holds(user, grant.participating, _participating_units(obj))
    )


def _holds(user: User, least: Role | None, unit_ids: set[int]) -> bool:
    if least is None:
        return False
    return any((user.scope.role_in(unit_id) or 0) >= least for unit_id in unit_ids)


def _owning_units(obj: Model | None) -> set[int]:
    """Return the units a row belongs to; rows that belong to another row take its units."""
    if isinstance(obj, Unit | User):
        return {obj.pk} if isinstance(obj, Unit) else set(obj.memberships.values_list("unit_id", flat=True))
    if isinstance(obj, Organization):
        return _holding_units(obj.pk)
    if isinstance(obj, Contact):
        return _holding_units(obj.organization_id, obj.positions.all() if obj.pk else ())
    if isinstance(obj, Document | Citation):
        return _owning_units(obj.target if isinstance(obj, Document) else obj.record)
    if isinstance(obj, Delivery):
        return set(_milestones_of(obj).values_list("unit_id", flat=True))
    of_agreement = obj.agreement if isinstance(obj, ReminderRule) else None
    unit_id = getattr(of_agreement or obj, "unit_id", None)
    return {unit_id} if unit_id is not None else set()


def _holding_units(organization_id: int, positions: QuerySet[ContactPosition] | tuple[()] = ()) -> set[int]:
    """Return the units that hold the organization, or one of the ``positions`` of a contact."""
    where = Q(organization=organization_id)
    if isinstance(positions, QuerySet):
        where |= Q(organization__in=positions.order_by().values("organization"))
    return set(OrganizationUnit.objects.filter(where).values_list("unit_id", flat=True))


def _participating_units(obj: Model | None) -> set[int]:
    """Return the owner of the row's agreement and the units that take part in it; around a demand the other side."""
    if isinstance(obj, Document):
        return _participating_units(obj.target)
    if isinstance(obj, Answer):
        return {obj.demand.unit_id}
    if isinstance(obj, Demand):
        return set(obj.answers.values_list("unit_id", flat=True))
    if isinstance(obj, Delivery):
        agreements = Agreement.objects.filter(pk__in=_milestones_of(obj).values("agreement"))
        units = agreements.values_list("unit_id", "participating_units__unit_id")
        return {unit_id for pair in units for unit_id in pair if unit_id is not None}
    agreement = obj if isinstance(obj, Agreement) else getattr(obj, "agreement", None)
    if agreement is None or isinstance(agreement, HiddenRecord):
        return set()
    return {agreement.unit_id, *agreement.participating_units.values_list("unit_id", flat=True)}


def _milestones_of(delivery: Delivery) -> QuerySet[Milestone]:
    """Return the milestones a mail is about; a notice is about those of the mails that failed."""
    if delivery.kind == Delivery.Kind.NOTICE:
        return Milestone.objects.filter(reminder_plans__items__delivery__notices__notice=delivery)
    return Milestone.objects.filter(reminder_plans__items__delivery=delivery)


def _owns(user: User, action: str, obj: Model | None) -> bool:
    """Whether the row is the user's own: mail, calendar address, session, preferences; milestone or upload in a participating unit.

    Policy documents of a programme are published papers: whoever reads the programme reads them.
    """
    if isinstance(obj, User):
        return action in {"user.edit_preferences", "user.view_reminders"} and obj.pk == user.pk
    if isinstance(obj, FeedToken | UserSession | ImportRecipe):
        owner_id = obj.owner_id if isinstance(obj, ImportRecipe) else obj.user_id
        return action in {"feed.own", "session.own", "import_recipe.edit"} and owner_id == user.pk
    if isinstance(obj, Delivery):
        return action in {"delivery.view", "delivery.view_body"} and obj.person_id == user.pk
    if isinstance(obj, Document):
        return _owns_document(user, action, obj)
    own_milestone = {"milestone.act", "milestone.move", "milestone.snooze"}
    if action not in own_milestone or not isinstance(obj, Milestone) or user.is_superuser:
        return False
    return obj.owner_id == user.pk and _holds(user, Role.COORDINATOR, _participating_units(obj))


def _owns_document(user: User, action: str, document: Document) -> bool:
    if action == "document.replace":
        return document.uploader == user and _has_grant(user, ACTIONS["document.upload"], document)
    return action == "document.view" and document.is_public_policy and _has_grant(user, ACTIONS["programme.view"], None)


def _who_may(grant: Grant) -> LazyText:
    if grant == Grant():
        return _("Only the person it belongs to may do this.")
    if grant.own is None and grant.anywhere is None:
        return _("Only administrators may do this.")
    least = grant.own or grant.anywhere
    if least == Role.LEAD:
        return _("Only a lead of its unit may do this.")
    if least == Role.COORDINATOR:
        return _("Only a coordinator or lead of its unit may do this.")
    return _("This belongs to another unit.")


def _not_ones_own_draft(user: User, agreement: Agreement) -> LazyText | None:
    """The approver is not the creator, the submitter, or anyone who edited it, its documents or milestones since others returned it."""
    if user.pk in people_behind_draft(agreement):
        return _("Somebody else has to approve: you created, submitted or edited this agreement.")
    return None


def _not_ones_own_registration(user: User, agreement: Agreement) -> LazyText | None:
    """Outside the office, whoever entered an agreement does not confirm that it was signed."""
    if not user.is_staff and user.pk in people_behind_draft(agreement):
        return _("Somebody else has to confirm the signing: you created, submitted or edited this agreement.")
    return None


def works_where_entered(user: User, contact: Contact) -> bool:
    """Whether the user works in the unit that entered the contact. What the office entered is for all holders, if not for it alone."""
    if user.is_staff or user.is_superuser:
        return True
    if contact.unit_id is None:
        return contact.is_open_to_holders
    return _holds(user, Role.COORDINATOR, {contact.unit_id})


def _readers_of_document(user: User, row: Model) -> LazyText | None:
    """A document with limited readers is visible only to these and the office, and only they may limit it so."""
    if not isinstance(row, Document) or user.is_staff or user.is_superuser:
        return None
    least = LEAST_ROLES[row.level]
    if least is None:
        return None
    units = {row.unit_id} if row.unit_id else _owning_units(row)
    if _holds(user, least, units):
        return None
    if least == Role.LEAD:
        return _("Only leads of its unit and the office can open this document.")
    return _("Only its unit and the office can open this document.")


def _readers_of_history(user: User, row: Model) -> LazyText | None:
    """The history of a document is for its readers and auditors."""
    return None if user.is_auditor else _readers_of_document(user, row)


def _works_elsewhere_now(user: User, row: Model) -> LazyText | None:
    """A contact who moved stays with the unit that entered them; other holders of the former organization see no numbers any more."""
    if not isinstance(row, Contact) or row.pk is None or user.sees_all_units:
        return None
    if row.unit_id is not None and works_where_entered(user, row):
        return None
    units = _holding_units(row.organization_id, row.positions.current())
    return None if _holds(user, Role.COORDINATOR, units) else _("This person works for another organization now.")


def _contacts_of_another_unit(user: User, row: Model) -> LazyText | None:
    """Another unit's contact, unless it is shared, is seen by the other holders with name and position alone."""
    if isinstance(row, Contact) and not row.is_shared and not works_where_entered(user, row):
        return _("Another unit entered this contact, and does not share it.")
    return _works_elsewhere_now(user, row)


def _entered_by_another_unit(user: User, row: Model) -> LazyText | None:
    """A contact is edited by the unit that entered it and by the office."""
    if isinstance(row, Contact) and not works_where_entered(user, row):
        return _("Another unit entered this contact: only it and the office change it.")
    return _works_elsewhere_now(user, row)


def _unit_takes_part(user: User, row: Model) -> LazyText | None:
    """The unit of what is added takes part in the agreement, or is one that the user works in."""
    unit_id = getattr(row, "unit_id", None)
    if unit_id is None or getattr(row, "agreement_id", None) is None:
        return None
    if _has_grant(user, _own(Role.COORDINATOR), Unit(pk=unit_id)):  # the page of each activity asks: no query
        return None
    about = row.target if isinstance(row, Milestone) else getattr(row, "milestone", None)
    units = {*_participating_units(row), getattr(about, "unit_id", None)}
    return None if unit_id in units else _("This unit does not take part in the agreement.")


def _frozen_when_confirmed(user: User, report: Report) -> LazyText | None:
    """A confirmed report stays as it is; a new edition can be started instead."""
    if report.is_confirmed:
        return _("A confirmed report stays as it is. Start a new edition to change it.")
    return None


def _only_drafts(user: User, agreement: Agreement) -> LazyText | None:
    """Only drafts are deleted, and by a coordinator only their own."""
    if agreement.status != AgreementStatus.DRAFT:
        return _("Only drafts can be deleted; cancel or terminate it instead.")
    is_above = user.is_staff or user.is_superuser or _holds(user, Role.LEAD, {agreement.unit_id})
    if not is_above and agreement.created_by_id != user.pk:
        return _("A coordinator deletes only drafts of their own.")
    return None


def _derived_dates_are_the_leads(user: User, milestone: Milestone) -> LazyText | None:
    """Only a lead or the office moves a date that follows from the agreement; nobody moves that of a payment, which follows the payment."""
    if milestone.kind in CLOSED_BY_STEP:
        return _closed_by_its_step_alone(user, milestone)
    if milestone.kind == MilestoneKind.PAYMENT:
        return _("Change the day of the payment: this date follows it.")
    is_above = user.is_staff or user.is_superuser or _holds(user, Role.LEAD, {milestone.unit_id})
    if milestone.is_derived and not is_above:
        return _("This date follows from the agreement; only a lead of the unit may move it.")
    return None


def _promised_by_agreement(user: User, payment: Payment) -> LazyText | None:
    """A promised payment is locked during the review; of a signed agreement one may be added, but only a lead or the office changes it."""
    agreement = payment.agreement
    if agreement.is_editable or (payment._state.adding and agreement.is_signed):
        return None
    if agreement.signed_on is None:
        return _("The agreement is under review or cancelled: what was agreed is locked.")
    if _has_grant(user, ACTIONS["agreement.amend"], agreement):
        return None
    return _("The agreement is signed: only a lead of its unit or the office changes what was promised.")


def _mail_of_several_units(user: User, delivery: Delivery) -> LazyText | None:
    """A mail about several units is handled only by people who work in all of them."""
    if user.is_staff or user.is_superuser or delivery.person_id == user.pk:
        return None
    if not all(_holds(user, Role.COORDINATOR, {unit_id}) for unit_id in _owning_units(delivery)):
        return _("This mail speaks of other units, too.")
    return None


def _mail_about_hidden_records(user: User, delivery: Delivery) -> LazyText | None:
    """A mail is read only by people who work in all of its units and see the agreements and other records it is about."""
    # The mail was written for its recipient, who may see more than this person.
    reason = _mail_of_several_units(user, delivery)
    if reason is None and not user.sees_all_units and delivery.person_id != user.pk:
        hidden = reduce(or_, (_is_hidden(user, field) for field in restricted_fields(Milestone)))
        # The history also has the record that a milestone belonged to when the mail was written.
        if Milestone.history.filter(hidden, id__in=_milestones_of(delivery).values("pk")).exists():
            reason = _("This mail speaks of other units, too.")
    return reason


def _is_hidden(user: User, field: ForeignKey) -> Q:
    """Return the condition for rows that refer by ``field`` to a record that the user may not see."""
    records: Any = field.remote_field.model._default_manager
    seen = records.visible_to(user).order_by().values("pk")
    return Q(**{f"{field.name}__isnull": False}) & ~Q(**{f"{field.name}__in": seen})


def people_with_reminders_seen_by(user: User) -> Q:
    """Return ``may(user, "user.view_reminders", person)`` as a condition on many accounts; a test compares the two."""
    if not user.is_authenticated or not user.is_active:
        return Q(pk__in=[])
    if user.sees_all_units:
        return Q()
    led = UnitMembership.objects.filter(unit__in=user.scope.unit_ids_as(Role.LEAD))
    return Q(pk=user.pk) | Q(pk__in=led.values("user"))


def releasable_by(user: User) -> Q:
    """Return ``may(user, "delivery.release", row)`` as a condition on many deliveries; a test compares the two."""
    if not may(user, "delivery.release"):
        return Q(pk__in=[])
    if user.is_staff or user.is_superuser:
        return Q()
    units = user.scope.unit_ids_as(Role.COORDINATOR)
    own, foreign = _is_about(Q(plan__milestone__unit__in=units)), _is_about(~Q(plan__milestone__unit__in=units))
    return own & (Q(person=user) | ~foreign)


def _is_about(items: Q) -> Q:
    """Return the condition for deliveries about one of ``items``; see ``_milestones_of``."""
    in_notices = ReminderItem.objects.filter(items, delivery__notices__notice=OuterRef("pk"))
    return Q(Exists(ReminderItem.objects.filter(items, delivery=OuterRef("pk")))) | Q(Exists(in_notices))


def _closed_by_its_step_alone(user: User, milestone: Milestone) -> LazyText | None:
    """Nobody waives, moves, snoozes or reopens a decision or news that waits for leads, nor a step of an agreement."""
    if milestone.kind == MilestoneKind.NEW_HOLDER:
        return _("It is news: a lead of the unit marks it as noted.")
    if milestone.kind in DECISION_KINDS:
        return _("Only the decision itself closes this.")
    if milestone.kind in CLOSED_BY_STEP:
        return _("Only the step of the agreement that it asks for closes this.")
    return None


def _decided_by_leads(user: User, milestone: Milestone) -> LazyText | None:
    """An approval is not given to one person: it waits for the leads. An answer may be."""
    if milestone.kind in DECISION_KINDS - {MilestoneKind.ANSWER}:
        return _("This waits for the leads of the unit.")
    return None


def _only_after_notice(user: User, agreement: Agreement) -> LazyText | None:
    """An agreement ends by notice only where notice is on record."""
    term = agreement.current_term
    if term is None or term.notice_given_on is None:
        return _("No notice was given.")
    return None


def _accounts_above_ones_own(user: User, account: User) -> LazyText | None:
    """Only a system administrator changes accounts of staff and auditors: whoever changes the address can take one over."""
    if (account.is_superuser or account.is_staff or account.is_auditor) and not user.is_superuser:
        return _("Only a system administrator changes the accounts of staff, auditors and administrators.")
    return None


def _logins_of_leads(user: User, account: User) -> LazyText | None:
    """Only a system administrator changes the login of a lead, or of a person with a role above other units."""
    if user.is_superuser or not any(_is_role_above(membership) for membership in account.memberships.all()):
        return None
    return _("Only a system administrator changes the address or the login name of a lead: it opens the account.")


def _roles_above_ones_own(user: User, membership: UnitMembership) -> LazyText | None:
    """Only a system administrator gives the role of a lead, a role above other units, or a role to themselves."""
    if user.is_superuser:
        return None
    if membership.user_id == user.pk:
        return _("Nobody gives roles to themselves.")
    if _is_role_above(membership):
        return _("Only a system administrator gives or takes the role of a lead, or a role in a unit with units below.")
    return None


def _is_role_above(membership: UnitMembership) -> bool:
    return membership.role >= Role.LEAD or Unit.objects.filter(parent=membership.unit_id).exists()


# The first sentence of each docstring is printed in docs/access.md.
VETOES: Mapping[str, Callable[[User, Any], LazyText | None]] = {
    "report.edit": _frozen_when_confirmed,
    "agreement.approve": _not_ones_own_draft,
    "agreement.confirm_signing": _not_ones_own_registration,
    "agreement.delete": _only_drafts,
    "agreement.end_by_notice": _only_after_notice,
    "payment.edit": _promised_by_agreement,
    "contact.view_personal": _contacts_of_another_unit,
    "contact.edit": _entered_by_another_unit,
    "document.view": _readers_of_document,
    "document.upload": _readers_of_document,
    "document.replace": _readers_of_document,
    "history.view": _readers_of_history,
    "activity.add": _unit_takes_part,
    "contact_note.add": _unit_takes_part,
    "facility.add": _unit_takes_part,
    "milestone.add": _unit_takes_part,
    "delivery.resend": _mail_of_several_units,
    "delivery.release": _mail_of_several_units,
    "delivery.view_body": _mail_about_hidden_records,
    "milestone.move": _derived_dates_are_the_leads,
    "milestone.snooze": _closed_by_its_step_alone,
    "milestone.waive": _closed_by_its_step_alone,
    "milestone.correct": _closed_by_its_step_alone,
    "milestone.assign": _decided_by_leads,
    "user.edit": _accounts_above_ones_own,
    "user.edit_login": _logins_of_leads,
    "role.grant": _roles_above_ones_own,
}
