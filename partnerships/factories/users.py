"""Units and the people who work in them."""

import factory
from django.contrib.auth.hashers import make_password

from partnerships.factories.base import ModelFactory, when_given
from partnerships.models import Role, Unit, UnitMembership, User


class UnitFactory(ModelFactory):
    class Meta:
        model = Unit

    name = factory.Sequence("Unit {}".format)


class UserFactory(ModelFactory):
    """``UserFactory(coordinator_in=unit)`` gives a role; ``password="..."`` lets the person log in.

    Gets a mail for each reminder, unless ``digest`` or ``feed_only``.
    """

    class Meta:
        model = User

    class Params:
        staff = factory.Trait(is_staff=True)
        user_admin = factory.Trait(is_user_admin=True)
        auditor = factory.Trait(is_auditor=True)
        system_admin = factory.Trait(is_superuser=True)
        deactivated = factory.Trait(is_active=False)
        unreachable = factory.Trait(email="")
        digest = factory.Trait(reminder_mode=User.ReminderMode.DIGEST)
        feed_only = factory.Trait(reminder_mode=User.ReminderMode.FEED)

    username = factory.Sequence("person{}".format)
    name = factory.Sequence("Person {}".format)
    email = factory.LazyAttribute(lambda person: f"{person.username}@example.org")
    password = factory.Transformer(None, transform=make_password)
    reminder_mode = User.ReminderMode.IMMEDIATE
    decision_mode = factory.LazyAttribute(
        lambda person: "digest" if person.reminder_mode == User.ReminderMode.FEED else person.reminder_mode
    )
    contact_mode = factory.SelfAttribute("reminder_mode")
    news_mode = factory.SelfAttribute("reminder_mode")

    @when_given
    def viewer_in(self, unit: Unit) -> None:
        _join(self, unit, Role.VIEWER)

    @when_given
    def coordinator_in(self, unit: Unit) -> None:
        _join(self, unit, Role.COORDINATOR)

    @when_given
    def lead_in(self, unit: Unit) -> None:
        _join(self, unit, Role.LEAD)


def _join(person: object, unit: Unit, role: Role) -> None:
    UnitMembershipFactory(user=person, unit=unit, role=role)


class UnitMembershipFactory(ModelFactory):
    class Meta:
        model = UnitMembership

    user = factory.SubFactory(UserFactory)
    unit = factory.SubFactory(UnitFactory)
    role = Role.COORDINATOR
