"""Agreements at each stage of their life, with parties, terms and areas.

The traits write a status and its dates as they are after the steps, without walking through them: tests of pages and
queries want the state, tests of the steps start from ``draft`` and take them.
"""

import factory
from django.utils import timezone

from partnerships.dates import add_months, last_day_of
from partnerships.factories.base import DAY, ModelFactory, when_given
from partnerships.factories.organizations import EnterpriseFactory, InstitutionFactory
from partnerships.factories.users import UnitFactory, UserFactory
from partnerships.models import (
    Agreement,
    AgreementArea,
    AgreementParty,
    AgreementTerm,
    AgreementType,
    AgreementUnit,
    Amendment,
    ApprovalRecord,
    ApprovalStep,
    CooperationArea,
    CustodyStep,
    Organization,
    PastSuspension,
    TypeMilestone,
    Unit,
)
from partnerships.statuses import AgreementStatus
from partnerships.workflows.derivation import update_current_end


class CooperationAreaFactory(ModelFactory):
    class Meta:
        model = CooperationArea

    code = factory.Sequence("area-{}".format)
    name = factory.Sequence("Area {}".format)


class AgreementTypeFactory(ModelFactory):
    class Meta:
        model = AgreementType

    code = factory.Sequence("type-{}".format)
    name = factory.Sequence("Type {}".format)


class ApprovalStepFactory(ModelFactory):
    class Meta:
        model = ApprovalStep

    type = factory.SubFactory(AgreementTypeFactory)
    position = factory.Sequence(lambda number: number % 1000 + 1)
    name = factory.Sequence("Approval step {}".format)


class ApprovalRecordFactory(ModelFactory):
    class Meta:
        model = ApprovalRecord

    agreement = factory.SubFactory("partnerships.factories.agreements.AgreementFactory", in_review=True)
    step = factory.SubFactory(ApprovalStepFactory, type=factory.SelfAttribute("..agreement.type"))
    decided_on = DAY


class TypeMilestoneFactory(ModelFactory):
    class Meta:
        model = TypeMilestone

    type = factory.SubFactory(AgreementTypeFactory)
    title = factory.Sequence("Default milestone {}".format)
    months_after_signing = 6


class AgreementPartyFactory(ModelFactory):
    """A signatory; its agreement is a bare draft unless given."""

    class Meta:
        model = AgreementParty

    agreement = factory.SubFactory("partnerships.factories.agreements.AgreementFactory")
    organization = factory.SubFactory(EnterpriseFactory)


class AgreementTermFactory(ModelFactory):
    """A term of three years from the agreement's signing (or from ``DAY``); ``open_ended=True``: without an end."""

    class Meta:
        model = AgreementTerm

    class Params:
        open_ended = factory.Trait(
            ends_on=None, review_on=factory.LazyAttribute(lambda term: add_months(term.starts_on, 12))
        )

    agreement = factory.SubFactory("partnerships.factories.agreements.AgreementFactory")
    starts_on = factory.LazyAttribute(lambda term: term.agreement.signed_on or DAY)
    ends_on = factory.LazyAttribute(lambda term: last_day_of(term.starts_on, 36))

    @factory.post_generation
    def current_end(self: AgreementTerm, create: bool, *args: object, **kwargs: object) -> None:
        if create:
            update_current_end(self.agreement, on=timezone.localdate())


def _add_term(agreement: Agreement, _: object, **term: object) -> None:
    AgreementTermFactory(agreement=agreement, **term)


def _add_parties(agreement: Agreement, _: object) -> None:
    if agreement.parties.exists():  # given as parties=[...]
        return
    for organization in (InstitutionFactory(), EnterpriseFactory()):
        AgreementPartyFactory(agreement=agreement, organization=organization)


class AgreementFactory(ModelFactory):
    """A bare draft. From ``ready`` on it has a college, an enterprise and a term (``with_term__ends_on=...``).

    ``parties=[...]`` stands in place of the two, ``areas=[...]`` promises areas, ``units=[...]`` lets other units take part,
    ``signed_on`` moves the signing. The creator and the coordinator are coordinators of the owning unit.
    """

    class Meta:
        model = Agreement

    class Params:
        ready = factory.Trait(
            with_parties=when_given(_add_parties, default=True), with_term=when_given(_add_term, default=True)
        )
        in_review = factory.Trait(ready=True, status=AgreementStatus.IN_REVIEW, submitted_on=DAY)
        returned = factory.Trait(ready=True, status=AgreementStatus.RETURNED, submitted_on=DAY, returned_on=DAY)
        approved = factory.Trait(ready=True, status=AgreementStatus.APPROVED, submitted_on=DAY, approved_on=DAY)
        signed = factory.Trait(
            ready=True,
            status=AgreementStatus.SIGNED,
            submitted_on=DAY,
            approved_on=DAY,
            signed_on=DAY,
            is_signing_confirmed=True,
        )
        # Registered when it was signed already: nobody of ours approved it.
        recorded = factory.Trait(ready=True, status=AgreementStatus.SIGNED, signed_on=DAY, recorded_on=DAY)
        suspended = factory.Trait(
            signed=True, status=AgreementStatus.SUSPENDED, suspended_on=factory.SelfAttribute("signed_on")
        )
        completed = factory.Trait(
            signed=True, status=AgreementStatus.COMPLETED, completed_on=factory.SelfAttribute("signed_on")
        )
        terminated = factory.Trait(
            signed=True, status=AgreementStatus.TERMINATED, terminated_on=factory.SelfAttribute("signed_on")
        )
        cancelled = factory.Trait(ready=True, status=AgreementStatus.CANCELLED, cancelled_on=DAY)
        orphaned = factory.Trait(coordinator=None)

    unit = factory.SubFactory(UnitFactory)
    type = factory.SubFactory(AgreementTypeFactory)
    title = factory.Sequence("Agreement {}".format)
    coordinator = factory.LazyAttribute(lambda row: UserFactory(coordinator_in=row.unit))
    created_by = factory.SelfAttribute("coordinator")

    with_term = when_given(_add_term)
    with_parties = when_given(_add_parties)

    @when_given
    def parties(self, organizations: list[Organization]) -> None:
        for organization in organizations:
            AgreementPartyFactory(agreement=self, organization=organization)

    @when_given
    def areas(self, areas: list[CooperationArea]) -> None:
        for area in areas:
            AgreementAreaFactory(agreement=self, area=area)

    @when_given
    def units(self, units: list[Unit]) -> None:
        for unit in units:
            AgreementUnitFactory(agreement=self, unit=unit)


class AgreementAreaFactory(ModelFactory):
    class Meta:
        model = AgreementArea

    agreement = factory.SubFactory(AgreementFactory)
    area = factory.SubFactory(CooperationAreaFactory)


class AgreementUnitFactory(ModelFactory):
    class Meta:
        model = AgreementUnit

    agreement = factory.SubFactory(AgreementFactory)
    unit = factory.SubFactory(UnitFactory)


class AmendmentFactory(ModelFactory):
    class Meta:
        model = Amendment

    agreement = factory.SubFactory(AgreementFactory, signed=True)
    number = factory.LazyAttribute(lambda amendment: amendment.agreement.amendments.count() + 1)
    signed_on = factory.LazyAttribute(lambda amendment: amendment.agreement.signed_on)
    effective_on = factory.SelfAttribute("signed_on")
    summary = "The contact address changed."


class PastSuspensionFactory(ModelFactory):
    class Meta:
        model = PastSuspension

    agreement = factory.SubFactory(AgreementFactory, signed=True)
    suspended_on = factory.LazyAttribute(lambda row: row.agreement.signed_on or DAY)
    resumed_on = factory.LazyAttribute(lambda row: add_months(row.suspended_on, 1))


class CustodyStepFactory(ModelFactory):
    class Meta:
        model = CustodyStep

    agreement = factory.SubFactory(AgreementFactory, signed=True)
    step = CustodyStep.Step.PRINTED
    desk = "Cooperation office"
    since = factory.LazyAttribute(lambda step: step.agreement.signed_on or DAY)
