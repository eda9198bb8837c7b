"""Steps of a workflow, where a test wants a timeline without walking through it."""

import factory

from partnerships.factories.agreements import AgreementFactory
from partnerships.factories.base import NOON, ModelFactory
from partnerships.models import StatusChange
from partnerships.statuses import AgreementStatus


class StatusChangeFactory(ModelFactory):
    class Meta:
        model = StatusChange

    record = factory.SubFactory(AgreementFactory, in_review=True)
    transition = "submit"
    from_status = AgreementStatus.DRAFT
    to_status = AgreementStatus.IN_REVIEW
    actor = factory.LazyAttribute(lambda change: getattr(change.record, "created_by", None))
    at = NOON
