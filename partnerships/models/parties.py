"""The organizations and units that take part in an agreement, and the areas they promise to work on."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from partnerships.models.agreement_types import CooperationArea
from partnerships.models.base import DayColumn, History, LineField, OfficeModel, SmallNumberColumn, WholeNumberColumn
from partnerships.models.organizations import Contact, Organization
from partnerships.models.sort_keys import ByName
from partnerships.models.users import Unit

# Bounds for typing errors.
MOST_PROMISED = 1_000_000
MOST_COPIES = 99
COPIES_ARE_FEW = _("Enter a number of copies from 1 to 99.")


class AgreementUnit(OfficeModel):
    """A unit that takes part without owning: it sees the agreement and works on activities.

    The owner is ``Agreement.unit``, so there is always exactly one.
    """

    agreement = models.ForeignKey(
        "partnerships.Agreement", models.CASCADE, related_name="participating_units", verbose_name=_("agreement")
    )
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="participations", verbose_name=_("unit"))

    history = History()

    class Meta:
        verbose_name = _("participating unit")
        verbose_name_plural = _("participating units")
        ordering = [ByName("unit"), "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["agreement", "unit"],
                name="agreement_unit_unique",
                violation_error_code="unit",
                violation_error_message=_("This unit takes part already."),
            ),
        ]

    def __str__(self) -> str:
        return str(self.unit)


class AgreementArea(OfficeModel):
    """An area the parties promised to work on, and how much of it: 2 courses a year, 12 places over the term.

    Without a quantity it is promised once in the term. ``reports.promises`` compares it with what was delivered.
    """

    class Per(models.TextChoices):
        YEAR = "year", _("a year")
        TERM = "term", _("over the term")

    agreement = models.ForeignKey(
        "partnerships.Agreement", models.CASCADE, related_name="promised_areas", verbose_name=_("agreement")
    )
    area = models.ForeignKey(
        CooperationArea, models.PROTECT, related_name="promises", verbose_name=_("cooperation area")
    )
    quantity = WholeNumberColumn(
        _("how much"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_PROMISED)],
        help_text=_("Empty: once in the term."),
    )
    counted = LineField(
        _("of what"),
        max_length=60,
        blank=True,
        default="",
        db_default="",
        help_text=_("Such as courses, internship places, people trained."),
    )
    per = models.CharField(_("per"), max_length=10, choices=Per, default=Per.TERM, db_default=Per.TERM)
    note = LineField(_("what was promised"), max_length=300, blank=True)

    history = History()

    class Meta:
        verbose_name = _("area promised")
        verbose_name_plural = _("areas promised")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["agreement", "area"],
                name="agreement_area_unique",
                violation_error_code="area",
                violation_error_message=_("This area is promised already."),
            ),
            models.CheckConstraint(condition=Q(per__in=["year", "term"]), name="agreement_area_per_known"),
            models.CheckConstraint(
                condition=Q(quantity__isnull=True) | Q(quantity__range=(1, MOST_PROMISED)),
                name="agreement_area_quantity_sane",
                violation_error_code="quantity",
                violation_error_message=_("What is promised is a number from 1 to a million, or none."),
            ),
            models.CheckConstraint(
                condition=Q(quantity__isnull=False) | Q(per="term", counted=""),
                name="agreement_area_unit_has_quantity",
                violation_error_code="quantity",
                violation_error_message=_("Say how much is promised, a year or of what is named."),
            ),
        ]

    def __str__(self) -> str:
        return str(self.area)

    @property
    def amount(self) -> int:
        """Return how much is promised a year or over the term."""
        return self.quantity or 1

    @property
    def quantity_words(self) -> str:
        """Return what is promised, such as "2 courses a year"; empty without a quantity."""
        if self.quantity is None:
            return ""
        words = f"{self.quantity} {self.counted}".strip()
        if self.per == self.Per.YEAR:
            return gettext("%(quantity)s a year") % {"quantity": words}
        return gettext("%(quantity)s over the term") % {"quantity": words}


class AgreementParty(OfficeModel):
    """An organization's part in an agreement; one row per organization."""

    class Role(models.TextChoices):
        SIGNATORY = "signatory", _("Signatory")
        WITNESS = "witness", _("Witness")
        HOST = "host", _("Host")

    class SignsAs(models.TextChoices):
        LEGAL = "legal", _("Legal representative")
        AUTHORIZED = "authorized", _("Authorized representative")

    class Seal(models.TextChoices):
        OFFICIAL = "official", _("Official seal")
        CONTRACT = "contract", _("Contract seal")
        NONE = "none", _("Signed without a seal")

    agreement = models.ForeignKey(
        "partnerships.Agreement", models.CASCADE, related_name="parties", verbose_name=_("agreement")
    )
    organization = models.ForeignKey(
        Organization, models.PROTECT, related_name="party_rows", verbose_name=_("organization")
    )
    role = models.CharField(_("role"), max_length=20, choices=Role, default=Role.SIGNATORY)
    is_for_itself = models.BooleanField(_("signs for itself"), default=True)
    signs_for_members = models.BooleanField(
        _("signs for its members"), default=False, help_text=_("An association may sign for its members too.")
    )
    name_as_signed = LineField(_("name as signed"), max_length=200, blank=True)
    signatory_person = LineField(_("signed by"), max_length=150, blank=True)
    signatory = models.ForeignKey(
        Contact,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="signed_for",
        verbose_name=_("signatory among the contacts"),
    )
    liaison = models.ForeignKey(
        Contact,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="liaison_for",
        verbose_name=_("liaison"),
        help_text=_("Whom to talk to at the partner about this agreement."),
    )
    signatory_position = LineField(_("position"), max_length=150, blank=True, default="", db_default="")
    signs_as = models.CharField(_("signs as"), max_length=10, choices=SignsAs, blank=True, default="", db_default="")
    seal = models.CharField(_("seal"), max_length=10, choices=Seal, blank=True, default="", db_default="")
    copies = SmallNumberColumn(
        _("copies kept"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_COPIES)],
    )
    signed_on = DayColumn(
        _("signed on"), null=True, blank=True, help_text=_("Its own date, where it differs or is known.")
    )
    acceded_on = models.DateField(_("acceded on"), null=True, blank=True, editable=False)
    withdrew_on = models.DateField(_("withdrew on"), null=True, blank=True, editable=False)

    history = History()

    class Meta:
        verbose_name = _("party")
        verbose_name_plural = _("parties")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["agreement", "organization"],
                name="agreement_party_unique",
                violation_error_code="organization",
                violation_error_message=_("This organization is a party already."),
            ),
            models.CheckConstraint(
                condition=Q(role__in=["signatory", "witness", "host"]), name="agreement_party_role_known"
            ),
            models.CheckConstraint(
                condition=~Q(role="signatory") | Q(is_for_itself=True) | Q(signs_for_members=True),
                name="agreement_party_signs_for_somebody",
                violation_error_code="is_for_itself",
                violation_error_message=_("A signatory signs for itself, for its members, or both."),
            ),
            models.CheckConstraint(
                condition=Q(withdrew_on__isnull=True)
                | Q(acceded_on__isnull=True)
                | Q(withdrew_on__gte=F("acceded_on")),
                name="agreement_party_leaves_after_joining",
                violation_error_code="withdrew_on",
                violation_error_message=_("A party cannot withdraw before it acceded."),
            ),
            models.CheckConstraint(
                condition=Q(signs_as__in=["", "legal", "authorized"]), name="agreement_party_signs_as_known"
            ),
            models.CheckConstraint(
                condition=Q(seal__in=["", "official", "contract", "none"]), name="agreement_party_seal_known"
            ),
            models.CheckConstraint(
                condition=Q(copies__isnull=True) | Q(copies__range=(1, MOST_COPIES)),
                name="agreement_party_copies_sane",
                violation_error_code="copies",
                violation_error_message=COPIES_ARE_FEW,
            ),
        ]

    def __str__(self) -> str:
        return self.name_as_signed or str(self.organization)

    @property
    def signing_words(self) -> str:
        """Return who signed, in which capacity and with which seal, as far as it is known."""
        known = (self.signatory_person, self.signatory_position, self.get_signs_as_display(), self.get_seal_display())
        return " · ".join(str(words) for words in known if words)
