"""People, the units they work in, and the role they have there."""

import datetime as dt
import unicodedata
import zoneinfo
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self, TypeVar

from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import AbstractUser, AnonymousUser, UserManager
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from partnerships.models.base import (
    BilingualModel,
    DayColumn,
    History,
    LineField,
    OfficeModel,
    SeededModel,
    SmallNumberColumn,
    VersionedModel,
)
from partnerships.models.sort_keys import ByName, NamedModel, SortKeyField, is_reader_chinese
from partnerships.models.work_calendars import WorkCalendar

Value = TypeVar("Value")
USERNAME_TAKEN = _("Another person has this user name already; upper and lower case make no difference.")


class Role(models.IntegerChoices):
    """A role in a unit; a higher role includes the lower ones."""

    VIEWER = 10, _("Viewer")
    COORDINATOR = 20, _("Coordinator")
    LEAD = 30, _("Unit lead")


def validate_time_zone(value: str) -> None:
    if value not in zoneinfo.available_timezones():
        raise ValidationError(_("%(zone)s is not a known time zone, such as Asia/Shanghai."), params={"zone": value})


def default_time_zone() -> str:
    return settings.TIME_ZONE


@dataclass(frozen=True)
class Scope:
    """The roles of a user: unit id -> highest role, descendants of the units included."""

    roles: Mapping[int, Role] = field(default_factory=dict)

    @property
    def unit_ids(self) -> list[int]:
        return sorted(self.roles)

    def unit_ids_as(self, role: Role) -> list[int]:
        return sorted(unit_id for unit_id, held in self.roles.items() if held >= role)

    def role_in(self, unit_id: int | None) -> Role | None:
        return self.roles.get(unit_id) if unit_id is not None else None

    def has(self, role: Role) -> bool:
        return any(held >= role for held in self.roles.values())


def left_alone(person: str) -> Q:
    """Return the condition that ``person``, a nullable relation, is missing, inactive, or has no address."""
    return Q(**{f"{person}__isnull": True}) | Q(**{f"{person}__is_active": False}) | Q(**{f"{person}__email": ""})


def away_alone(person: str, today: dt.date) -> Q:
    """Return the condition that ``person`` is absent on ``today`` and has no deputy who is there and can be reached."""
    away = Q(**{f"{person}__absent_from__lte": today, f"{person}__absent_until__gte": today})
    deputy = f"{person}__deputy"
    deputy_away = Q(**{f"{deputy}__absent_from__lte": today, f"{deputy}__absent_until__gte": today})
    return away & (left_alone(deputy) | deputy_away)


class ScopedQuerySet(models.QuerySet):
    """Rows with a scope: every page, admin list, export, search, file and feed asks ``visible_to(user)``."""

    def visible_to(self, user: "User | AnonymousUser") -> Self:
        """Return the rows ``user`` may see; what they may do with one is decided by ``permissions.may``."""
        if not isinstance(user, User) or not user.is_active:
            return self.none()
        if user.sees_all_units:
            return self
        return self.filter(self.in_scope(user))

    def in_scope(self, user: "User") -> Q:
        """Return the condition for a person with roles in units, neither office staff nor administrator."""
        return Q(unit__in=user.scope.unit_ids)

    def of_organizations(self, ids: Collection[int]) -> Self:
        """Return the rows about one of these organizations, or in which one of them takes part."""
        return self.filter(organization__in=ids)

    def in_regions(self, ids: Collection[int]) -> Self:
        """Return the rows that lie in one of these regions, or whose organization does."""
        return self.filter(region__in=ids)


class UserQuerySet(ScopedQuerySet):
    def in_scope(self, user: "User") -> Q:
        """Return the condition for colleagues: oneself and people with a role in a unit of one's scope."""
        colleagues = UnitMembership.objects.filter(unit__in=user.scope.unit_ids).values("user")
        return Q(pk=user.pk) | Q(pk__in=colleagues)

    def visible_to(self, user: "User | AnonymousUser") -> Self:
        if isinstance(user, User) and user.is_active and user.is_user_admin:
            return self
        return super().visible_to(user)

    def reachable(self) -> Self:
        """People a mail can reach: active, with an address."""
        return self.filter(is_active=True).exclude(email="")


class PersonManager(UserManager.from_queryset(UserQuerySet)):  # type: ignore[misc]
    use_in_migrations = False

    def _create_user(self, username: str, email: str, password: str | None, **extra_fields: Any) -> "User":
        """Save an account once it is checked: ``createsuperuser`` shows a ValidationError as its message."""
        user: User = self._create_user_object(username, email, password, **extra_fields)
        user.full_clean(exclude={"password"})
        with transaction.atomic(self._db):
            user.save(using=self._db)
            history = reverse("admin:partnerships_user_history", args=[user.pk])
            events = apps.get_model("partnerships", "SecurityEvent").objects
            events.record("account_added", None, about=str(user), link=history)
        return user


class User(NamedModel, SeededModel, VersionedModel, AbstractUser):
    """A person who logs in.

    ``is_superuser`` is the system administrator, ``is_staff`` the cooperation office's staff (all units),
    ``is_user_admin`` may manage accounts only, ``is_auditor`` reads the security log and the history. Everybody else has
    roles in units (``UnitMembership``).
    """

    class ReminderMode(models.TextChoices):
        IMMEDIATE = "immediate", _("A mail for each reminder")
        DIGEST = "digest", _("One digest a day")
        FEED = "feed", _("Only on My work and in the calendar feed")

    class DecisionMode(models.TextChoices):
        """A decision waits for the person alone, so it always comes by mail."""

        IMMEDIATE = "immediate", _("A mail for each reminder")
        DIGEST = "digest", _("One digest a day")

    # One name: the order of family and given name differs between languages.
    first_name = None  # type: ignore[assignment]
    last_name = None  # type: ignore[assignment]
    name = LineField(pgettext_lazy("of a person", "name"), max_length=150)
    sort_key = SortKeyField("name", "username", is_person=True)
    email = models.EmailField(_("e-mail address"), blank=True)
    is_user_admin = models.BooleanField(
        _("user administrator"), default=False, help_text=_("May create and deactivate accounts and give roles.")
    )
    is_auditor = models.BooleanField(
        _("auditor"),
        default=False,
        db_default=False,
        help_text=_("Reads the security log and the history of all records, and changes nothing."),
    )
    language = models.CharField(_("language"), max_length=10, choices=settings.LANGUAGES, default="en")
    time_zone = models.CharField(
        _("time zone"), max_length=50, default=default_time_zone, validators=[validate_time_zone]
    )
    decision_mode = models.CharField(
        _("decisions arrive as"),
        max_length=20,
        choices=DecisionMode,
        default=DecisionMode.IMMEDIATE,
        db_default=DecisionMode.IMMEDIATE.value,
        help_text=_("Approvals, answers, confirmations, and milestones submitted to you."),
    )
    reminder_mode = models.CharField(
        _("dates and promises arrive as"),
        max_length=20,
        choices=ReminderMode,
        default=ReminderMode.DIGEST,
        help_text=_("Due dates of milestones, obligations, decision dates, reviews and activities."),
    )
    contact_mode = models.CharField(
        _("contact with partners arrives as"),
        max_length=20,
        choices=ReminderMode,
        default=ReminderMode.DIGEST,
        db_default=ReminderMode.DIGEST.value,
        help_text=_("When it is time to speak with a partner again."),
    )
    news_mode = models.CharField(
        _("new items arrive as"),
        max_length=20,
        choices=ReminderMode,
        default=ReminderMode.DIGEST,
        db_default=ReminderMode.DIGEST.value,
        help_text=_("What is new on your list: given to you, or sent back."),
    )
    gets_month_mail = models.BooleanField(
        _("month by mail"),
        default=False,
        db_default=False,
        help_text=_("On the first of each month: how cooperation goes in your units, in figures and charts."),
    )
    reminder_hour = SmallNumberColumn(
        _("hour of the digest"),
        default=8,
        validators=[MaxValueValidator(23)],
        help_text=_("0 to 23, in this person's time zone."),
    )
    deputy = models.ForeignKey(
        "self",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="deputy_of",
        verbose_name=_("deputy"),
        help_text=_("Gets the reminders while this person is absent."),
    )
    absent_from = DayColumn(_("absent from"), null=True, blank=True)
    absent_until = DayColumn(_("absent until"), null=True, blank=True)

    objects: ClassVar[PersonManager] = PersonManager()
    history = History(excluded_fields=("password", "last_login"))

    REQUIRED_FIELDS = ["name", "email"]
    # Saved by Django alone: at a log-in, and when it stores a password with a newer hash.
    UNVERSIONED_FIELDS = frozenset({"last_login", "password"})

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        ordering = [ByName(), "pk"]
        constraints = [
            # Nobody tells Lin and lin apart, and a mail about one of them reads like one about the other.
            models.UniqueConstraint(
                Lower("username"),
                name="user_username_unique",
                violation_error_code="username",
                violation_error_message=USERNAME_TAKEN,
            ),
            # Django finds the accounts of a password reset without regard to case, so two accounts whose addresses
            # differ in case alone would both get the mail.
            models.UniqueConstraint(
                Lower("email"),
                condition=~Q(email=""),
                name="user_email_unique",
                violation_error_code="email",
                violation_error_message=_("Another person has this e-mail address already."),
            ),
            models.CheckConstraint(
                condition=Q(decision_mode__in=["immediate", "digest"]),
                name="user_decisions_come_by_mail",
                violation_error_code="decision_mode",
                violation_error_message=_("Decisions always come by mail."),
            ),
            models.CheckConstraint(
                condition=Q(reminder_hour__lte=23),
                name="user_reminder_hour_of_a_day",
                violation_error_code="reminder_hour",
                violation_error_message=_("An hour lies between 0 and 23."),
            ),
            models.CheckConstraint(
                condition=~Q(deputy=F("id")),
                name="user_deputy_is_another",
                violation_error_code="deputy",
                violation_error_message=_("A person cannot be their own deputy."),
            ),
            models.CheckConstraint(
                condition=Q(absent_from__isnull=True, absent_until__isnull=True)
                | Q(absent_from__isnull=False, absent_until__isnull=False, absent_until__gte=F("absent_from")),
                name="user_absence_in_order",
                violation_error_code="absent_until",
                violation_error_message=_("An absence needs both dates, the first one not after the last."),
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.username

    def clean(self) -> None:
        """Bring user name and address into one form, and refuse a user name that differs in case alone."""
        self.username = self.normalize_username(self.username)
        self.email = type(self).objects.normalize_email(unicodedata.normalize("NFKC", self.email))
        # The constraint of SQLite knows the case of a to z alone.
        others = type(self)._base_manager.exclude(pk=self.pk).values_list("username", flat=True)
        if not self.username.isascii() and self.username.casefold() in {other.casefold() for other in others}:
            raise ValidationError({"username": USERNAME_TAKEN})

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name

    @property
    def sees_all_units(self) -> bool:
        return self.is_staff or self.is_superuser

    @property
    def is_reachable(self) -> bool:
        return self.is_active and bool(self.email)

    @cached_property
    def scope(self) -> Scope:
        """Return the roles, cached on this object (two queries); load the user again after a change of memberships."""
        memberships = list(self.memberships.values_list("unit_id", "role"))
        if not memberships:
            return Scope()
        roles: dict[int, Role] = {}
        tree = read_tree(Unit)
        for unit_id, role in memberships:
            for covered in tree.with_descendants([unit_id]):
                roles[covered] = max(Role(role), roles.get(covered, Role.VIEWER))
        return Scope(roles)


@dataclass(frozen=True)
class Tree:
    """Parent and child ids of a small table; ``children`` maps a parent's id to the ids below it."""

    parents: Mapping[int, int | None]

    @cached_property
    def children(self) -> dict[int | None, list[int]]:
        children: dict[int | None, list[int]] = {}
        for child, parent in self.parents.items():
            children.setdefault(parent, []).append(child)
        return children

    def with_descendants(self, ids: Iterable[int]) -> set[int]:
        found: set[int] = set()
        waiting = list(ids)
        while waiting:
            current = waiting.pop()
            if current not in found:
                found.add(current)
                waiting.extend(self.children.get(current, ()))
        return found

    def with_ancestors(self, node: int) -> list[int]:
        """Return ``node`` and its ancestors up to the root."""
        path: list[int] = []
        current: int | None = node
        # Cycles are refused when a row is saved; if there was one all the same, this loop would still end.
        while current is not None and current not in path:
            path.append(current)
            current = self.parents.get(current)
        return path

    def nearest(self, own: Mapping[int, Value | None]) -> dict[int, Value]:
        """Map each node to its own value, or to that of the nearest node above it that has one."""
        found: dict[int, Value] = {}
        for node in self.parents:
            values = (own.get(above) for above in self.with_ancestors(node))
            value = next((value for value in values if value is not None), None)
            if value is not None:
                found[node] = value
        return found


def read_tree(model: type[models.Model]) -> Tree:
    """Return the shape of a table with a ``parent``, in one query. For a few thousand rows at most."""
    return Tree(dict(model._base_manager.values_list("pk", "parent_id")))


def refuse_cycle(node: Any) -> None:
    """Raise ``ValidationError`` on ``parent`` when ``node`` would be its own ancestor."""
    if node.pk and node.parent_id and node.pk in read_tree(type(node)).with_ancestors(node.parent_id):
        raise ValidationError({"parent": _("This would put it below itself.")})


class UnitQuerySet(ScopedQuerySet):
    def visible_to(self, user: "User | AnonymousUser") -> Self:
        if isinstance(user, User) and user.is_active and user.is_user_admin:
            return self  # they give roles in all units, without having one themselves
        return super().visible_to(user)

    def in_scope(self, user: "User") -> Q:
        return Q(pk__in=user.scope.unit_ids)


class Unit(BilingualModel, SeededModel, VersionedModel):
    """Our own office, college or department; a tree. A role in a unit reaches the units below it.

    Where space is small, as in lists, a unit is called by its short name, if it has one.
    """

    short_name = LineField(_("short name"), max_length=30, blank=True, default="", db_default="")
    short_name_zh = LineField(_("Chinese short name"), max_length=30, blank=True, default="", db_default="")
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children", verbose_name=_("part of")
    )
    organization = models.ForeignKey(
        "partnerships.Organization",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="own_units",
        verbose_name=_("organization"),
        help_text=_("The organization whose office this is."),
    )
    fallback_person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="fallback_for",
        verbose_name=_("fallback person"),
        help_text=_("Is notified when nobody else can be. Without one, the unit above is asked."),
    )
    time_zone = models.CharField(
        _("time zone"), max_length=50, default=default_time_zone, validators=[validate_time_zone]
    )
    work_calendar = models.ForeignKey(
        "partnerships.WorkCalendar",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="units",
        verbose_name=_("working days"),
        help_text=_("Empty: those of the unit above; with none above either, Monday to Friday."),
    )

    objects = UnitQuerySet.as_manager()
    history = History()

    class Meta:
        verbose_name = _("unit")
        verbose_name_plural = _("units")
        ordering = [ByName(), "pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(parent=F("id")),
                name="unit_not_below_itself",
                violation_error_code="parent",
                violation_error_message=_("A unit cannot be part of itself."),
            ),
            models.UniqueConstraint(
                fields=["parent", "name"],
                name="unit_name_unique_below_parent",
                violation_error_code="name",
                violation_error_message=_("There is a unit of this name already."),
            ),
            models.UniqueConstraint(
                fields=["name"],
                condition=Q(parent__isnull=True),
                name="unit_name_unique_at_top",
                violation_error_code="name",
                violation_error_message=_("There is a unit of this name already."),
            ),
        ]

    def clean(self) -> None:
        refuse_cycle(self)

    @property
    def display_short_name(self) -> str:
        return (self.short_name_zh if is_reader_chinese() else self.short_name) or self.display_name

    @property
    def effective_calendar(self) -> WorkCalendar | None:
        """Return the unit's calendar, or that of the nearest unit above that has one; None: Monday to Friday."""
        if self.work_calendar_id or self.parent_id is None:
            return self.work_calendar
        rows = Unit.objects.exclude(work_calendar=None).select_related("work_calendar")
        return read_tree(Unit).nearest({unit.pk: unit.work_calendar for unit in rows}).get(self.parent_id)


class UnitMembership(OfficeModel):
    """The role a person has in a unit and all units below it."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships", verbose_name=_("person")
    )
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="memberships", verbose_name=_("unit"))
    role = models.PositiveSmallIntegerField(_("role"), choices=Role)

    history = History()

    class Meta:
        verbose_name = _("membership in a unit")
        verbose_name_plural = _("memberships in units")
        ordering = ["unit", "-role", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "unit"],
                name="unit_membership_unique",
                violation_error_code="unit",
                violation_error_message=_("This person has a role in this unit already."),
            ),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="unit_membership_role_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user} · {self.unit} · {self.get_role_display()}"


class PasswordRequest(models.Model):
    """A request for a link to a new password, by somebody who is not logged in; the worker answers it.

    ``email`` is what was typed, whether there is such an account or not. Kept for an hour, to limit requests.
    """

    email = models.CharField(max_length=254)
    network = models.CharField(max_length=45, blank=True)
    asked_at = models.DateTimeField(db_index=True)
    is_done = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"{self.pk}"
