"""The rows of the reminder pipeline."""

import datetime as dt

import factory

from partnerships.factories.base import NOON, ModelFactory
from partnerships.factories.milestones import MilestoneFactory
from partnerships.factories.users import UserFactory
from partnerships.models import (
    ComponentHeartbeat,
    Delivery,
    DeliveryEvent,
    DeliveryNotice,
    MailHold,
    MailRelay,
    MilestoneKind,
    ReminderItem,
    ReminderPlan,
    ReminderRule,
)
from partnerships.statuses import DeliveryStatus


class ReminderRuleFactory(ModelFactory):
    """A week before, to the owner; each further rule a day earlier, so that no two are the same."""

    class Meta:
        model = ReminderRule

    milestone_kind = MilestoneKind.AGREEMENT
    offset = factory.Sequence(lambda number: 7 + number)


class ReminderPlanFactory(ModelFactory):
    class Meta:
        model = ReminderPlan

    milestone = factory.SubFactory(MilestoneFactory)
    rule = factory.SubFactory(ReminderRuleFactory, milestone_kind=factory.SelfAttribute("..milestone.kind"))
    due_on = factory.SelfAttribute("milestone.due_on")
    send_at = NOON
    time_zone = factory.SelfAttribute("milestone.unit.time_zone")
    expires_at = factory.LazyAttribute(lambda plan: plan.send_at + dt.timedelta(days=30))
    next_attempt_at = factory.SelfAttribute("send_at")


class DeliveryFactory(ModelFactory):
    class Meta:
        model = Delivery

    class Params:
        claimed = factory.Trait(
            status=DeliveryStatus.CLAIMED,
            lease_until=NOON + dt.timedelta(minutes=5),
            lease_epoch=1,
            lease_owner="worker",
        )
        sent = factory.Trait(
            status=DeliveryStatus.SENT,
            attempts=1,
            address=factory.SelfAttribute("person.email"),
            sent_at=NOON,
            smtp_code=250,
        )
        failed = factory.Trait(
            status=DeliveryStatus.FAILED,
            attempts=1,
            address=factory.SelfAttribute("person.email"),
            smtp_code=550,
            reason="refused",
        )

    person = factory.SubFactory(UserFactory)
    queued_at = NOON
    next_attempt_at = factory.SelfAttribute("queued_at")
    message_id = factory.Sequence("<delivery-{}@example.org>".format)


class ReminderItemFactory(ModelFactory):
    """A reminder for the milestone's owner, in a delivery of its own."""

    class Meta:
        model = ReminderItem

    plan = factory.SubFactory(ReminderPlanFactory)
    person = factory.LazyAttribute(lambda item: item.plan.milestone.owner)
    delivery = factory.SubFactory(DeliveryFactory, person=factory.SelfAttribute("..person"))
    why = "owner"


class DeliveryEventFactory(ModelFactory):
    class Meta:
        model = DeliveryEvent

    delivery = factory.SubFactory(DeliveryFactory)
    at = NOON
    from_status = DeliveryStatus.QUEUED
    to_status = DeliveryStatus.CLAIMED


class MailHoldFactory(ModelFactory):
    """Over; ``active``: it is going on; there can only be one."""

    class Meta:
        model = MailHold

    class Params:
        active = factory.Trait(is_active=True, lifted_at=None)

    note = factory.Sequence("The relay is being moved, {}".format)
    since = NOON
    is_active = False
    lifted_at = NOON + dt.timedelta(hours=1)


class DeliveryNoticeFactory(ModelFactory):
    """A notice of a failed mail, in a mail that is still queued."""

    class Meta:
        model = DeliveryNotice

    delivery = factory.SubFactory(DeliveryFactory, failed=True)
    person = factory.SubFactory(UserFactory)
    notice = factory.SubFactory(DeliveryFactory, kind="notice", person=factory.SelfAttribute("..person"))


class ComponentHeartbeatFactory(ModelFactory):
    class Meta:
        model = ComponentHeartbeat

    name = factory.Sequence("component-{}".format)
    at = NOON


class MailRelayFactory(ModelFactory):
    """A mail server that has failed since noon."""

    class Meta:
        model = MailRelay

    name = factory.Sequence("relay-{}.example.org:25".format)
    failures = 1
    open_until = NOON + dt.timedelta(seconds=30)
    trouble = "ConnectionRefusedError: [Errno 111] Connection refused"
    since = alerted_at = NOON
