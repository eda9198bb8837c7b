"""Organizations of all kinds, their names, people, memberships, and which of our units holds them."""

import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, ClassVar, Self

from django import forms
from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Case, Exists, F, OuterRef, Q, When
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from stdnum.cn import uscc as credit_code
from stdnum.exceptions import InvalidChecksum
from stdnum.exceptions import ValidationError as StdnumError

from partnerships.countries import HOME, country_name, country_names
from partnerships.late_inserts import current_inserts
from partnerships.models.base import (
    BilingualModel,
    CountryColumn,
    DayColumn,
    History,
    LineField,
    OfficeModel,
    ReferenceModel,
    SearchableModel,
    SearchedPart,
    SearchEntry,
    SeededModel,
    VersionedModel,
)
from partnerships.models.sort_keys import ByName, NamedModel, SortKeyField
from partnerships.models.users import Role, ScopedQuerySet, Tree, Unit, User, read_tree, refuse_cycle
from partnerships.names import name_key, name_keys, search_text, shortest_end

# A shared key shorter than this says nothing: half of all enterprises start with 中.
SHORTEST_TELLING_KEY = 2
# Organizations whose search entries are written in one go.
REFRESHED_AT_ONCE = 500
# Folding can lengthen a name: one character such as ㈱ or ﷺ becomes several.
LONGEST_KEY = 200


class OrganizationKind(models.TextChoices):
    INSTITUTION = "institution", _("Institution")
    ENTERPRISE = "enterprise", _("Enterprise")
    ASSOCIATION = "association", _("Association")
    GOVERNMENT_BODY = "government_body", _("Government body")


class RegionQuerySet(ScopedQuerySet):
    """Regions are readable by everybody with a role."""

    def in_scope(self, user: User) -> Q:
        return Q() if user.scope.roles else Q(pk__in=[])


class Region(BilingualModel, ReferenceModel):
    """A place in the tree of administrative divisions; ``code`` is its natural key, such as ``zhejiang``."""

    class Level(models.TextChoices):
        COUNTRY = "country", _("Country")
        PROVINCE = "province", _("Province")
        CITY = "city", _("City")
        COUNTY = "county", _("County or county-level city")

    code = models.SlugField(_("code"), max_length=50, unique=True)
    level = models.CharField(_("level"), max_length=20, choices=Level)
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children", verbose_name=_("part of")
    )
    note = models.TextField(_("note"), blank=True)

    objects = RegionQuerySet.as_manager()
    history = History()

    class Meta:
        verbose_name = _("region")
        verbose_name_plural = _("regions")
        ordering = [ByName(), "pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(parent=F("id")),
                name="region_not_below_itself",
                violation_error_code="parent",
                violation_error_message=_("A region cannot be part of itself."),
            ),
        ]

    def get_absolute_url(self) -> str:
        return reverse("region_detail", args=[self.pk])

    def clean(self) -> None:
        refuse_cycle(self)

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save the region and let what lies in it be found by its new name; regions are rarely renamed."""
        before = type(self).objects.filter(pk=self.pk).values_list("name", "name_zh").first()
        with transaction.atomic():
            super().save(*args, **kwargs)
            if before and before != (self.name, self.name_zh):
                refresh_entries(self.organizations.order_by().values_list("pk", flat=True))
                for event in self.events.iterator(chunk_size=500):
                    event.refresh_search()


def regions_below(region: Region) -> set[int]:
    """Return the ids of the region and all its parts."""
    return read_tree(Region).with_descendants([region.pk])


def names_of(region: Region | None) -> tuple[str, ...]:
    """Return the names by which what lies in a region is found."""
    return (region.name, region.name_zh) if region else ()


def validate_credit_code(value: str) -> None:
    """Refuse what cannot be a code. One whose check digit is wrong may be: Xiamen gave out such codes until 2016."""
    try:
        credit_code.validate(value)
    except InvalidChecksum:
        return
    except StdnumError as error:
        raise ValidationError(
            _(
                "%(code)s is not a unified social credit code: that has 8 digits and 10 digits or capitals, without I, O, S, V and Z."
            ),
            params={"code": value},
        ) from error


def has_right_check_digit(code: str) -> bool:
    return bool(credit_code.is_valid(code))


LONGEST_TYPED_CODE = 40


class CreditCodeField(models.CharField):
    """A unified social credit code, kept in capitals, of half width and without spaces; None if there is none.

    However it is typed or assigned, it is validated and saved in this form, so that the same code is found and unique.
    """

    def to_python(self, value: str | None) -> str | None:
        return credit_code.compact(unicodedata.normalize("NFKC", value)).upper() or None if value else None

    def pre_save(self, model_instance: models.Model, add: bool) -> str | None:
        code = self.to_python(getattr(model_instance, self.attname))
        setattr(model_instance, self.attname, code)
        return code

    def formfield(self, **kwargs: Any) -> forms.Field | None:
        # Longer than the column: it may be typed in groups of four signs.
        return super().formfield(**{"max_length": LONGEST_TYPED_CODE, **kwargs})

    def deconstruct(self) -> tuple[str, str, list[object], dict[str, object]]:
        # For migrations, which know the column alone.
        name, _path, args, options = super().deconstruct()
        return name, "django.db.models.CharField", list(args), options


def telling_key(name: str) -> str:
    """Return the distinctive part of a name; empty where it is too short to say anything."""
    key = name_key(name)[:LONGEST_KEY]
    return key if len(key) >= SHORTEST_TELLING_KEY else ""


def telling_keys(name: str) -> set[str]:
    """Return the keys of a name, as ``NameKey`` holds them, without those too short to say anything."""
    keys = {key[:LONGEST_KEY] for key in name_keys(name)}
    return {key for key in keys if len(key) >= SHORTEST_TELLING_KEY}


def _short_forms(key: str) -> list[str]:
    """Return the beginnings (half of it at least) and ends of a key that may be names: 默示机械厂 in 浙江默示机械厂."""
    beginnings = [key[:length] for length in range(max(SHORTEST_TELLING_KEY, len(key) // 2), len(key) + 1)]
    return [*beginnings, *(key[-length:] for length in range(shortest_end(key), len(key)))]


def _is_alike(key: str, other: str) -> bool:
    is_end = len(key) >= shortest_end(key) and other.endswith(key)
    return is_end or other.startswith(key) or other in _short_forms(key)


class OrganizationQuerySet(ScopedQuerySet):
    """The directory is shared: everybody with a role sees name, kind, region and who holds it."""

    def in_scope(self, user: User) -> Q:
        return Q() if user.scope.roles else Q(pk__in=[])

    def held_by_scope_of(self, user: User) -> "OrganizationQuerySet":
        """Return the organizations that a unit of the user's scope holds; their details and contacts are shown."""
        if not user.is_active:
            return self.none()
        if user.sees_all_units:
            return self
        # Exists, not a join: an organization that two units of the scope hold would come twice.
        held = OrganizationUnit.objects.filter(organization=OuterRef("pk"), unit__in=user.scope.unit_ids)
        return self.filter(Exists(held))

    def search(self, text: str) -> "OrganizationQuerySet":
        return self.filter(pk__in=SearchEntry.objects.matching(Organization, text))

    def look_alikes(self, name: str) -> "OrganizationQuerySet":
        """Return organizations with a name that starts or ends like ``name``: the longer contains the shorter there.

        A warning, never a block: compared is what is left without legal forms, so a short form finds the long one.
        """
        keys = telling_keys(name)
        return self.filter(pk__in=NameKey.objects.resembling(keys).values("organization")) if keys else self.none()

    def look_alikes_of(self, names: Iterable[str]) -> "dict[str, list[Organization]]":
        """Return the look-alikes of each name, those of the very same name first: two queries, however many names."""
        keys = {name: telling_keys(name) for name in names}
        found = list(NameKey.objects.resembling(set().union(*keys.values())).values_list("organization", "key"))
        rows: dict[int, Any] = self.filter(pk__in={pk for pk, _key in found}).select_related("region").in_bulk()
        alike: dict[str, list[Organization]] = {}
        for name, own in keys.items():
            near = [(other not in own, pk) for pk, other in found if any(_is_alike(key, other) for key in own)]
            alike[name] = [rows[pk] for pk in dict.fromkeys(pk for _is_longer, pk in sorted(near)) if pk in rows]
        return alike

    def resembling(self, organization: "Organization") -> "OrganizationQuerySet":
        """Return others in use that look like it by its name or its Chinese name.

        Those it is part of, and its own parts, are left out: a faculty is named after its university.
        """
        rows = self.not_archived().exclude(pk__in=organization.ids_above_and_below())
        alike = rows.look_alikes(organization.name)
        return alike | rows.look_alikes(organization.name_zh) if organization.name_zh else alike

    def wholes_first(self) -> "OrganizationQuerySet":
        """Sort by name, those that are part of another last: words find them by the names of their whole as well."""
        return self.order_by(Case(When(part_of__isnull=True, then=0), default=1), ByName(), "pk")

    def not_archived(self) -> "OrganizationQuerySet":
        return self.filter(archived_on__isnull=True)

    def partners(self) -> "OrganizationQuerySet":
        """Return all organizations but our own, those that have a unit here."""
        return self.filter(~Exists(Unit.objects.filter(organization=OuterRef("pk"))))


class Organization(BilingualModel, SeededModel, SearchableModel, VersionedModel):
    """An institution, enterprise, association or government body. One table: a party never needs to know the kind."""

    class InstitutionType(models.TextChoices):
        UNIVERSITY = "university", _("University")
        VOCATIONAL_UNIVERSITY = "vocational_university", _("Vocational university")
        VOCATIONAL_COLLEGE = "vocational_college", _("Vocational college")
        SECONDARY_VOCATIONAL = "secondary_vocational", _("Secondary vocational school")
        RESEARCH_INSTITUTE = "research_institute", _("Research institute")

    kind = models.CharField(_("kind"), max_length=20, choices=OrganizationKind)
    part_of = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="parts",
        verbose_name=pgettext_lazy("of an organization", "part of"),
        help_text=_("For a faculty, campus, branch or subsidiary: the organization it belongs to."),
    )
    country = CountryColumn(_("country or region"))
    region = models.ForeignKey(
        Region, models.PROTECT, null=True, blank=True, related_name="organizations", verbose_name=_("region")
    )
    uscc = CreditCodeField(
        _("unified social credit code"), max_length=18, null=True, blank=True, validators=[validate_credit_code]
    )
    institution_type = models.CharField(_("type of institution"), max_length=30, choices=InstitutionType, blank=True)
    industry = LineField(_("industry"), max_length=100, blank=True)
    strengths = LineField(
        _("strengths"),
        max_length=300,
        blank=True,
        default="",
        db_default="",
        help_text=_("The fields in which it does good research or work, separated by commas."),
    )
    website = models.URLField(_("website"), blank=True)
    address = LineField(_("address"), max_length=300, blank=True)
    description = models.TextField(_("description"), blank=True)
    members_liaison = models.ForeignKey(
        "partnerships.Contact",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="liaison_of_members",
        verbose_name=_("members' liaison"),
        help_text=_("The contact of the association to talk to about its members as a group."),
    )
    archived_on = models.DateField(_("archived on"), null=True, blank=True, editable=False)

    # The section of its page that has a part. Parts that are not named here are in the first one.
    page_sections: ClassVar[Mapping[str, str]] = {
        "facilities": "related",
        "payments": "related",
        "demands": "related",
        "honours": "related",
        "achievements": "related",
        "programmes": "related",
        "events": "related",
        "parts": "related",
        "members": "related",
        "figures": "files",
        "documents": "files",
        "happened": "history",
    }

    objects = OrganizationQuerySet.as_manager()
    history = History()

    class Meta:
        verbose_name = _("organization")
        verbose_name_plural = _("organizations")
        ordering = [ByName(), "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["uscc"],
                name="organization_uscc_unique",
                violation_error_code="uscc",
                violation_error_message=_("Another organization has this unified social credit code."),
            ),
            models.CheckConstraint(
                condition=Q(kind="institution") | Q(institution_type=""),
                name="organization_type_only_for_institutions",
                violation_error_code="institution_type",
                violation_error_message=_("Only an institution has a type of institution."),
            ),
            models.CheckConstraint(
                condition=Q(kind="association") | Q(members_liaison__isnull=True),
                name="organization_liaison_only_for_associations",
                violation_error_code="members_liaison",
                violation_error_message=_("Only an association has a liaison of its members."),
            ),
            models.CheckConstraint(condition=Q(kind__in=OrganizationKind.values), name="organization_kind_known"),
            models.CheckConstraint(
                condition=~Q(part_of=F("id")),
                name="organization_not_part_of_itself",
                violation_error_code="part_of",
                violation_error_message=_("An organization cannot be part of itself."),
            ),
        ]
        indexes = [
            # The directory, paged, in the order of an English and of a Chinese reader; the same of each kind.
            models.Index(fields=["sort_key", "id"], name="organization_by_name"),
            models.Index(fields=["sort_key_zh", "id"], name="organization_by_name_zh"),
            models.Index(fields=["kind", "sort_key", "id"], name="organization_by_kind"),
            models.Index(fields=["kind", "sort_key_zh", "id"], name="organization_by_kind_zh"),
        ]

    def entering_unit(self, actor: User | None) -> Unit | None:
        """Return the holding unit in which the actor has the highest role; None for those who see all units anyway."""
        if actor is None or actor.sees_all_units:
            return None
        units = Unit.objects.filter(held_organizations__organization=self).order_by("pk")
        return max(units, key=lambda unit: actor.scope.role_in(unit.pk) or 0, default=None)

    def get_absolute_url(self) -> str:
        return reverse("organization_detail", args=[self.pk])

    @property
    def foreign_country(self) -> str:
        """Return the name of its country or region; nothing for our own country, which goes without saying."""
        return "" if self.country == HOME else country_name(self.country)

    def clean(self) -> None:
        if self.pk and self.part_of_id and self.pk in read_wholes([self.part_of_id]).parents:
            raise ValidationError({"part_of": _("It cannot be part of itself or of one of its own parts.")})
        if self.members_liaison_id is not None and not self._may_have_liaison(self.members_liaison_id):
            raise ValidationError({"members_liaison": _("Choose a contact of the association itself.")})

    def _may_have_liaison(self, contact_id: int) -> bool:
        """Whether a person works or worked here, or is the liaison already: one who left stays until another is named."""
        here = Q(organization=self.pk) | Q(positions__organization=self.pk) | Q(liaison_of_members=self.pk)
        return self.pk is not None and Contact.objects.filter(here, pk=contact_id).exists()

    def ids_above_and_below(self) -> set[int]:
        """Return the ids of all it is part of, of itself, and of all its parts."""
        above = read_wholes([self.part_of_id]).parents if self.part_of_id else ()
        return {*above, *(with_parts(self) if self.pk else ())}

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save the organization with its search entry; one that becomes part of another waits for a new name of that."""
        with transaction.atomic():
            there = Organization._base_manager.filter(pk=self.pk, part_of=self.part_of_id)
            if self.part_of_id is not None and not there.exists():
                # A renaming of the whole, or of one above it, locks this entry before it reads the parts. Either it
                # comes first, and the new name is read here, or it waits and then finds this part.
                content_type = ContentType.objects.get_for_model(Organization)
                entry = SearchEntry.objects.filter(content_type=content_type, object_id=self.part_of_id)
                list(entry.select_for_update().values_list("pk"))
            super().save(*args, **kwargs)

    def search_words(self) -> list[str]:
        return search_words_of([self])[self.pk]

    def refresh_search(self) -> bool:
        inserts = current_inserts()
        if inserts is not None:
            inserts.keep(SearchEntry, self.pk, key=self.pk, write=_refresh_with_parts)
        is_changed = inserts is None and super().refresh_search()
        if is_changed:
            # A level is locked before the next one is read, so that a part which is added meanwhile is not missed.
            for level in levels_below([self.pk]):
                refresh_entries(level)
        # A name that only a source printed is found, but must not make two organizations look alike.
        telling = self.other_names.filter(source=None).values_list("name", flat=True)
        names = (self.name, self.name_zh, *telling)
        keys = {key[:LONGEST_KEY] for name in names for key in name_keys(name)}
        NameKey.objects.filter(organization_id=self.pk).exclude(key__in=keys).delete()
        # Keys that are there already stay: this ignores the unique key alone, whatever the database.
        NameKey.objects.bulk_create(
            (NameKey(organization_id=self.pk, key=key) for key in sorted(keys)),
            update_conflicts=True,
            unique_fields=["organization", "key"],
            update_fields=["key"],
        )
        return is_changed


def search_words_of(organizations: Collection[Organization]) -> dict[int, list[str]]:
    """Return the words that find each organization, in a few queries however many there are.

    They include all names of the organizations that it is part of: a faculty is found by those of its university.
    """
    wholes = read_wholes({row.part_of_id for row in organizations if row.part_of_id is not None})
    own = [row.pk for row in organizations]
    names, codes = defaultdict[int, list[str]](list), defaultdict[int, list[str]](list)
    for pk, *both in Organization._base_manager.filter(pk__in=wholes.parents).values_list("pk", "name", "name_zh"):
        names[pk] += both
    others = OrganizationName.objects.filter(organization__in={*own, *wholes.parents})
    for pk, name in others.values_list("organization", "name"):
        names[pk].append(name)
    for pk, code in OrganizationCode.objects.filter(organization__in=own).values_list("organization", "code"):
        codes[pk].append(code)
    return {
        row.pk: [
            row.name,
            row.name_zh,
            row.uscc or "",
            row.strengths,
            row.industry,
            row.address,
            row.description,
            *names_of(row.region),
            # The name of our own country would find nearly everything.
            *([] if row.country == HOME else country_names(row.country)),
            *names[row.pk],
            *codes[row.pk],
            *(name for pk in wholes.with_ancestors(row.part_of_id or 0) for name in names[pk]),
        ]
        for row in organizations
    }


def refresh_entries(organization_ids: Iterable[int]) -> None:
    """Write the search entries of organizations anew that took words from another row, but have their own names still."""
    content_type = ContentType.objects.get_for_model(Organization)
    ids = sorted(organization_ids)
    for start in range(0, len(ids), REFRESHED_AT_ONCE):
        batch = ids[start : start + REFRESHED_AT_ONCE]
        # Locked before the words are read: an edit that runs meanwhile is waited for, and not overwritten.
        entries = SearchEntry.objects.filter(content_type=content_type, object_id__in=batch).order_by("object_id")
        known = dict(entries.select_for_update().values_list("object_id", "text"))
        rows = Organization._base_manager.filter(pk__in=batch).select_related("region")
        texts = {pk: search_text(words) for pk, words in search_words_of(rows).items()}
        SearchEntry.objects.bulk_create(
            [
                SearchEntry(content_type=content_type, object_id=pk, text=text)
                for pk, text in sorted(texts.items())
                if known.get(pk) != text
            ],
            update_conflicts=True,
            unique_fields=["content_type", "object_id"],
            update_fields=["text"],
        )


def _refresh_with_parts(organization_ids: list[int]) -> None:
    """Write the search entries of organizations anew, and those of their parts, level by level."""
    refresh_entries(organization_ids)
    for level in levels_below(organization_ids):
        refresh_entries(level)


def through_column(related_name: str) -> models.ForeignKey:
    """Return the column for the intermediary. It gives nobody access and makes no unit a holder."""
    return models.ForeignKey(
        Organization,
        models.PROTECT,
        null=True,
        blank=True,
        related_name=related_name,
        verbose_name=pgettext_lazy("an intermediary", "through"),
        help_text=_("The association or other body that brought the parties together."),
    )


def read_wholes(organization_ids: Iterable[int]) -> Tree:
    """Return organizations and all that they are part of, at every level; one query for each level."""
    parents: dict[int, int | None] = {}
    level = set(organization_ids)
    while level:
        parents |= dict.fromkeys(level)  # a missing row ends the walk, too
        rows = Organization._base_manager.filter(pk__in=level).order_by()
        parents |= dict(rows.values_list("pk", "part_of"))
        level = {above for above in parents.values() if above is not None} - parents.keys()
    return Tree(parents)


def levels_below(organization_ids: Iterable[int]) -> Iterator[set[int]]:
    """Yield the ids of the parts of organizations, of their parts, and so on; one query for each level."""
    found: set[int] = set()
    level: Any = organization_ids
    while level:
        rows = Organization._base_manager.filter(part_of__in=level).order_by()
        level = set(rows.values_list("pk", flat=True)) - found
        if level:
            found |= level
            yield level


def ids_below(organization_ids: Iterable[int]) -> set[int]:
    """Return the ids of all parts of organizations, at every level."""
    return set().union(*levels_below(organization_ids))


def with_parts(organization: Organization) -> set[int]:
    """Return the ids of an organization and all its parts, at every level."""
    return {organization.pk, *ids_below([organization.pk])}


class OfKindManager(models.Manager.from_queryset(OrganizationQuerySet)):  # type: ignore[misc]
    use_in_migrations = False

    def get_queryset(self) -> OrganizationQuerySet:
        return super().get_queryset().filter(kind=self.model.KIND)


class OrganizationOfKind(Organization):
    """A proxy that reads and makes organizations of one kind."""

    KIND: ClassVar[OrganizationKind]

    objects: ClassVar[Any] = OfKindManager()

    class Meta:
        proxy = True

    def __init__(self, *args: object, **kwargs: object) -> None:
        if not args:  # rows from the database come by position and have their kind
            kwargs.setdefault("kind", self.KIND)
        super().__init__(*args, **kwargs)


class Institution(OrganizationOfKind):
    KIND: ClassVar[OrganizationKind] = OrganizationKind.INSTITUTION

    class Meta:
        proxy = True
        verbose_name = _("institution")
        verbose_name_plural = _("institutions")


class Enterprise(OrganizationOfKind):
    KIND: ClassVar[OrganizationKind] = OrganizationKind.ENTERPRISE

    class Meta:
        proxy = True
        verbose_name = _("enterprise")
        verbose_name_plural = _("enterprises")


class Association(OrganizationOfKind):
    KIND: ClassVar[OrganizationKind] = OrganizationKind.ASSOCIATION

    class Meta:
        proxy = True
        verbose_name = _("association")
        verbose_name_plural = _("associations")


class GovernmentBody(OrganizationOfKind):
    KIND: ClassVar[OrganizationKind] = OrganizationKind.GOVERNMENT_BODY

    class Meta:
        proxy = True
        verbose_name = _("government body")
        verbose_name_plural = _("government bodies")


class OrganizationName(NamedModel, SearchedPart, OfficeModel):
    """Another name of an organization: as registered, short, former, translated, or what a source printed.

    A name with a ``source`` was seen there only: it is found, but it does not make two organizations look alike.
    """

    SEARCHED_WITH = "organization"

    class Kind(models.TextChoices):
        LEGAL = "legal", _("Registered name")
        SHORT = "short", _("Short form")
        FORMER = "former", _("Former name")
        TRANSLATION = "translation", _("Translation")
        AS_PRINTED = "as_printed", _("As printed in a source")
        OTHER_SPELLING = "other_spelling", _("Other spelling")

    organization = models.ForeignKey(
        Organization, models.CASCADE, related_name="other_names", verbose_name=_("organization")
    )
    name = LineField(_("name"), max_length=200)
    sort_key = SortKeyField("name")
    kind = models.CharField(_("kind"), max_length=20, choices=Kind, default=Kind.SHORT)
    valid_from = DayColumn(_("used from"), null=True, blank=True)
    valid_until = DayColumn(_("used until"), null=True, blank=True)
    source = models.ForeignKey(
        "partnerships.Source",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="printed_names",
        verbose_name=_("source"),
    )

    history = History()

    class Meta:
        verbose_name = _("other name")
        verbose_name_plural = _("other names")
        ordering = [ByName(), "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "name", "kind"],
                name="organization_name_unique",
                violation_error_code="name",
                violation_error_message=_("This name is recorded already."),
            ),
            models.CheckConstraint(
                condition=Q(valid_from__isnull=True)
                | Q(valid_until__isnull=True)
                | Q(valid_until__gte=F("valid_from")),
                name="organization_name_period_in_order",
                violation_error_code="valid_until",
                violation_error_message=_("A name cannot end before it begins."),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class OrganizationCode(SearchedPart, OfficeModel):
    """The code of an organization in a system of others: its ROR or Erasmus code, the ministry's code of a school."""

    SEARCHED_WITH = "organization"

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="codes", verbose_name=_("organization"))
    scheme = LineField(
        pgettext_lazy("of codes", "scheme"),
        max_length=50,
        help_text=_("Whose code it is, such as ROR, Erasmus or 学校标识码."),
    )
    code = LineField(_("code"), max_length=100)

    history = History()

    class Meta:
        verbose_name = _("external code")
        verbose_name_plural = _("external codes")
        ordering = ["scheme", "code", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "scheme", "code"],
                name="organization_code_unique",
                violation_error_code="code",
                violation_error_message=_("This code is recorded already."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.scheme} {self.code}"


class NameKeyQuerySet(models.QuerySet):
    def resembling(self, keys: Iterable[str]) -> Self:
        """Return names that start or end with one of ``keys``, or are the start or end of one."""
        near = Q(key__in=[])
        for key in keys:
            near |= Q(key__startswith=key) | Q(key__in=_short_forms(key))
            if len(key) >= shortest_end(key):
                # No index serves this: it reads all keys, some for each organization, once for each registration.
                near |= Q(key__endswith=key)
        return self.filter(near)


class NameKey(models.Model):
    """The folded names of an organization without legal forms (``names.name_key``), for the look-alike warning.

    Machine-written with the organization and its other names.
    """

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="name_keys")
    key = models.CharField(max_length=LONGEST_KEY, db_index=True)

    objects = NameKeyQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "key"], name="name_key_unique")]

    def __str__(self) -> str:
        return self.key


class AssociationMembership(OfficeModel):
    """An organization's membership in an association."""

    association = models.ForeignKey(
        Organization,
        models.CASCADE,
        related_name="member_rows",
        verbose_name=_("association"),
        limit_choices_to={"kind": OrganizationKind.ASSOCIATION},
    )
    member = models.ForeignKey(Organization, models.PROTECT, related_name="association_rows", verbose_name=_("member"))
    since = DayColumn(_("since"), null=True, blank=True)
    until = DayColumn(_("until"), null=True, blank=True)

    history = History()

    class Meta:
        verbose_name = _("membership in an association")
        verbose_name_plural = _("memberships in associations")
        ordering = ["association", ByName("member"), "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["association", "member"],
                name="association_membership_unique",
                violation_error_code="member",
                violation_error_message=_("This membership is recorded already."),
            ),
            models.CheckConstraint(
                condition=~Q(association=F("member")),
                name="association_not_its_own_member",
                violation_error_code="member",
                violation_error_message=_("An association cannot be its own member."),
            ),
            models.CheckConstraint(
                condition=Q(since__isnull=True) | Q(until__isnull=True) | Q(until__gte=F("since")),
                name="association_membership_in_order",
                violation_error_code="until",
                violation_error_message=_("A membership cannot end before it begins."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.member} · {self.association}"

    def clean(self) -> None:
        if self.association_id and self.association.kind != OrganizationKind.ASSOCIATION:
            raise ValidationError({"association": _("Only an association has members.")})


class OrganizationUnit(OfficeModel):
    """One of our units that holds an organization, and who looks after it there.

    This is what *own* means for details and contacts. A unit holds what it entered or was granted (``is_granted``), and
    what it signed an agreement or runs an open facility with; ``workflows.organizations.update_holders`` keeps the
    latter up to date.
    """

    organization = models.ForeignKey(
        Organization, models.CASCADE, related_name="holders", verbose_name=_("organization")
    )
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="held_organizations", verbose_name=_("unit"))
    coordinator = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="held_organizations",
        verbose_name=_("coordinator"),
    )
    # Stays when the last agreement or facility ends; a later removal is somebody's decision again.
    is_granted = models.BooleanField(_("entered or granted"), default=True, editable=False)

    history = History()

    class Meta:
        verbose_name = _("holding unit")
        verbose_name_plural = _("holding units")
        ordering = [ByName("unit"), "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "unit"],
                name="organization_unit_unique",
                violation_error_code="unit",
                violation_error_message=_("This unit holds the organization already."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.organization} · {self.unit}"


def held_by(units: Collection[int]) -> Q:
    """Return the condition for contacts who work, or worked, at the organizations that the units hold."""
    return _at(OrganizationUnit.objects.filter(unit__in=units).values("organization"), now=False)


def held_now_by(units: Collection[int]) -> Q:
    """Return the condition for contacts whose main organization, or one of a current position, the units hold."""
    return _at(OrganizationUnit.objects.filter(unit__in=units).values("organization"), now=True)


def _at(organizations: Collection[int] | models.QuerySet, *, now: bool) -> Q:
    """Return the condition for contacts with their main position, or another one, at the organizations."""
    rows = ContactPosition.objects.current() if now else ContactPosition.objects.all()
    return Q(organization__in=organizations) | Q(pk__in=rows.filter(organization__in=organizations).values("contact"))


def entered_for(units: Collection[int]) -> Q:
    """Return the condition for contacts whose phone and address are for people who work in the units, if they hold them."""
    of_office = Q(unit__isnull=True) & ~Q(permission=Contact.Permission.ENTERING_UNIT)
    return Q(unit__in=units) | of_office | Q(is_shared=True)


class ContactQuerySet(ScopedQuerySet):
    def in_scope(self, user: User) -> Q:
        return held_by(user.scope.unit_ids)

    def at(self, organizations: Collection[int] | models.QuerySet) -> Self:
        """Return contacts who work at the organizations, in their main position or in another one."""
        return self.filter(_at(organizations, now=True))

    def ever_at(self, organizations: Collection[int]) -> Self:
        """Return contacts who work or worked at the organizations."""
        return self.filter(_at(organizations, now=False))

    def with_personal_data_for(self, user: User) -> Self:
        """Return contacts whose phone and address the user may read: the rule of ``contact.view_personal``."""
        rows = self.visible_to(user)
        if user.sees_all_units:
            return rows
        units = user.scope.unit_ids_as(Role.COORDINATOR)
        # After a move, only the unit that entered the person and the holders of a current organization see the numbers.
        return rows.filter(held_by(units), entered_for(units), Q(unit__in=units) | held_now_by(units))

    def by_mail(self) -> Self:
        """Return contacts to whom the system may send mail by itself, unless ``is_mail_stopped`` (annotated) says no.

        Whoever reads the mail of an address may stop it, also for others who share the address, and for as long as any of
        them has it. The person who asked gets no mail at a new address either.
        """
        free = Contact.Permission.FREE
        rows = self.filter(is_active=True, permission=free, preferred_channel__in=("", "email"))
        stopped = Contact.objects.filter(mail_stopped_on__isnull=False).annotate(mailbox=Lower("mail_stopped_address"))
        shared = Q(mailbox=Lower(OuterRef("email"))) | Q(pk=OuterRef("pk"))
        return rows.exclude(email="").annotate(is_mail_stopped=Exists(stopped.filter(shared)))


class Contact(NamedModel, SeededModel, SearchableModel, VersionedModel):
    """A person at an organization, in their main position; further and former ones are ``ContactPosition`` rows.

    Phone, e-mail, WeChat and the note belong to the unit that entered the contact; the other holders see name and
    position, and the rest once it ``is_shared``. What the office entered, without a unit, is for all holders, unless
    the office alone may contact the person.
    """

    class Channel(models.TextChoices):
        PHONE = "phone", _("Phone")
        EMAIL = "email", _("E-mail")
        WECHAT = "wechat", _("WeChat")

    class Permission(models.TextChoices):
        FREE = "free", _("Anyone who can see their contact details")
        ASK = "ask", _("Others must ask the unit that added the contact")
        ENTERING_UNIT = "holder", _("Only the unit that added the contact")

    organization = models.ForeignKey(
        Organization, models.CASCADE, related_name="contacts", verbose_name=_("organization")
    )
    unit = models.ForeignKey(
        Unit,
        models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="entered_contacts",
        verbose_name=_("entered by"),
    )
    is_shared = models.BooleanField(
        _("shared with all holders"),
        default=False,
        db_default=False,
        help_text=_("The other units that hold the organization see phone, e-mail and WeChat, too."),
    )
    name = LineField(pgettext_lazy("of a person", "name"), max_length=150)
    sort_key = SortKeyField("name", is_person=True)
    position = LineField(_("position"), max_length=150, blank=True)
    since = DayColumn(_("there since"), null=True, blank=True)
    until = DayColumn(_("there until"), null=True, blank=True)
    email = models.EmailField(_("e-mail address"), blank=True)
    phone = LineField(_("phone"), max_length=50, blank=True)
    wechat = LineField(_("WeChat"), max_length=50, blank=True)
    preferred_channel = models.CharField(_("preferred channel"), max_length=10, choices=Channel, blank=True)
    language = models.CharField(_("language"), max_length=10, choices=settings.LANGUAGES, default="zh-hans")
    permission = models.CharField(
        _("may be contacted by"),
        max_length=10,
        choices=Permission,
        default=Permission.FREE,
        db_default=Permission.FREE,
        help_text=_("The system e-mails reminders only to contacts whom anyone may contact."),
    )
    is_active = models.BooleanField(_("still there"), default=True)
    # When it was entered that they had left; kept by the verbs.
    departure_noted_on = models.DateField(null=True, blank=True, editable=False)
    note = models.TextField(_("note"), blank=True)
    # Set and cleared by the page that our mails to them link to, never by an edit.
    mail_stopped_on = models.DateField(_("asked for no mail on"), null=True, blank=True, editable=False)
    # Their address on that day; that of today may have been corrected since. The history has each address already.
    mail_stopped_address = models.EmailField(blank=True, db_default="", default="", editable=False)

    objects = ContactQuerySet.as_manager()
    history = History(excluded_fields=["mail_stopped_address"])

    class Meta:
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")
        ordering = [ByName(), "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(permission__in=["free", "ask", "holder"]), name="contact_permission_known"
            ),
            models.CheckConstraint(
                condition=~Q(permission="holder", is_shared=True),
                name="contact_of_holder_alone_not_shared",
                violation_error_code="is_shared",
                violation_error_message=_("A contact whom only one unit may contact cannot be shared."),
            ),
            models.CheckConstraint(
                condition=Q(until__isnull=True) | Q(is_active=False),
                name="contact_there_until_has_left",
                violation_error_code="is_active",
                violation_error_message=_("Clear “still there”, or clear the day on which they left."),
            ),
            models.CheckConstraint(
                condition=Q(since__isnull=True) | Q(until__isnull=True) | Q(until__gte=F("since")),
                name="contact_period_in_order",
                violation_error_code="until",
                violation_error_message=_("The last day cannot be before the first."),
            ),
        ]

    def search_words(self) -> list[str]:
        return [self.name, self.position]

    @property
    def all_positions(self) -> list["ContactPosition"]:
        """Return the main position, as a row that is not saved, and the others."""
        main = {"organization": self.organization, "position": self.position, "since": self.since, "until": self.until}
        return [ContactPosition(contact=self, **main), *self.positions.all()]

    def works_at(self, organization: Organization) -> bool:
        """Whether they are at the organization, at a part of it, or at one that it is part of. Up to a query per level."""
        if not self.is_active or organization.pk == self.organization_id:
            return self.is_active
        current = self.positions.current().values_list("organization", flat=True)
        return not {self.organization_id, *current}.isdisjoint(organization.ids_above_and_below())

    def has_been_at(self, organization: Organization) -> bool:
        """Whether they work or worked at the organization, at a part of it, or at one that it is part of."""
        ever = self.positions.values_list("organization", flat=True)
        return not {self.organization_id, *ever}.isdisjoint(organization.ids_above_and_below())

    def position_at(self, organization: Organization) -> str:
        """Return their position at the organization, a present one first; empty where none is on record."""
        there = (one for one in self.all_positions if one.organization_id == organization.pk)
        return next((one.position for one in sorted(there, key=lambda one: one.until is not None)), "")

    @property
    def is_open_to_holders(self) -> bool:
        """Whether people of every unit that holds the organization see how to reach them."""
        is_of_office = self.unit_id is None and self.permission != self.Permission.ENTERING_UNIT
        return self.is_shared or is_of_office

    @property
    def permission_note(self) -> str:
        """Return whom to ask before contacting the person, or who alone does; empty where everybody may."""
        unit = self.unit.display_name if self.unit else gettext("the office")
        if self.permission == self.Permission.ASK:
            return gettext("ask %(unit)s before contacting") % {"unit": unit}
        if self.permission == self.Permission.ENTERING_UNIT:
            return gettext("only %(unit)s contacts them") % {"unit": unit}
        return ""

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Return the address of the contacts on the organization's page."""
        return f"{reverse('organization_detail', args=[self.organization_id])}#contacts"


class ContactPositionQuerySet(models.QuerySet):
    def current(self) -> Self:
        """Return the positions that have no end. An end is never in the future, so the current day does not matter."""
        return self.filter(until=None)


class ContactPosition(OfficeModel):
    """A further or former position of a contact: at another organization, or one they had before."""

    contact = models.ForeignKey(Contact, models.CASCADE, related_name="positions", verbose_name=_("contact"))
    organization = models.ForeignKey(
        Organization, models.PROTECT, related_name="contact_positions", verbose_name=_("organization")
    )
    position = LineField(_("position"), max_length=150, blank=True)
    since = DayColumn(_("there since"), null=True, blank=True)
    until = DayColumn(_("there until"), null=True, blank=True)

    objects = ContactPositionQuerySet.as_manager()
    history = History()

    class Meta:
        verbose_name = _("position")
        verbose_name_plural = _("further and former positions")
        ordering = [F("until").desc(nulls_first=True), "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["contact", "organization", "position"],
                condition=Q(until__isnull=True),
                name="contact_position_unique",
                violation_error_code="organization",
                violation_error_message=_("This position is recorded already."),
            ),
            models.CheckConstraint(
                condition=Q(since__isnull=True) | Q(until__isnull=True) | Q(until__gte=F("since")),
                name="contact_position_in_order",
                violation_error_code="until",
                violation_error_message=_("The last day cannot be before the first."),
            ),
        ]

    def __str__(self) -> str:
        return " · ".join(filter(None, [self.position, str(self.organization)]))
