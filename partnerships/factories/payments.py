"""Promised payments and receipts."""

import datetime as dt
from decimal import Decimal

import factory

from partnerships.factories.agreements import AgreementFactory
from partnerships.factories.base import DAY, ModelFactory
from partnerships.models import Payment, Receipt


class PaymentFactory(ModelFactory):
    """A payment that the first enterprise of a signed agreement promises."""

    class Meta:
        model = Payment

    agreement = factory.SubFactory(AgreementFactory, signed=True)
    party = factory.LazyAttribute(lambda row: row.agreement.parties.last())
    purpose = factory.Sequence("Scholarship {}".format)
    due_on = DAY + dt.timedelta(days=30)
    amount = Decimal(200_000)


class ReceiptFactory(ModelFactory):
    class Meta:
        model = Receipt

    payment = factory.SubFactory(PaymentFactory)
    received_on = DAY
    amount = Decimal(50_000)
