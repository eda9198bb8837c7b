"""The units below the Cooperation office and the people who work there."""

from collections.abc import Mapping
from typing import Any

import factory
from django.contrib.auth.hashers import make_password

from partnerships.demo.office import SampleOffice
from partnerships.demo.sample import read_sample
from partnerships.factories import UnitFactory, UserFactory
from partnerships.models import Unit, UnitMembership, User

COLLEGE = "zhejiang-industrial-vocational-and-technical-college"
HIRED = -900  # days; before everything else in the sample
BESIDE_COLUMNS = frozenset({"post", "unit", "role", "is_fallback"})


def add_people(office: SampleOffice, sample: Mapping[str, list[Mapping[str, Any]]], *, password: str) -> None:
    """Add units, and people with their roles and one password; each department's lead is its fallback person."""
    office_unit = Unit.objects.get(code="cooperation-office")
    shared = {"parent": office_unit, **office.columns(Unit, {"organization": COLLEGE, "work_calendar": "CN"})}
    for unit in sample["units"]:
        names = {name: value for name, value in unit.items() if name != "code"}
        office.add(UnitFactory, unit["code"], by=None, on=office.day(HIRED), **shared, **names)
    encoded = factory.Transformer.Force(make_password(password))  # once: hashing is slow on purpose
    for person in sample["people"]:
        _add_person(office, person, password=encoded)


def _add_person(office: SampleOffice, entry: Mapping[str, Any], *, password: object) -> None:
    username = username_of(entry)
    user = office.add(
        UserFactory,
        f"person-{entry['name'].split()[0].lower()}",
        by=None,
        on=office.day(HIRED),
        username=username,
        email=f"{username}@example.org",
        password=password,
        **{name: value for name, value in entry.items() if name not in BESIDE_COLUMNS},
    )
    if "role" not in entry:
        return
    unit = Unit.objects.get(pk=office.reference(Unit, entry["unit"]).pk)
    UnitMembership(user=user, unit=unit, role=entry["role"]).save()
    if entry.get("is_fallback"):
        unit.fallback_person = user
        unit.save()


def username_of(entry: Mapping[str, Any]) -> str:
    return entry["name"].lower().replace(" ", ".")


def logins() -> dict[str, str]:
    """Return the people who are still there and can log in: login names, each with what the person is."""
    sample = read_sample()
    units = {unit["code"].removeprefix("unit-"): unit["name"] for unit in sample["units"]}
    active = set(User.objects.filter(is_sample=True, is_active=True).values_list("username", flat=True))
    posts = {
        username_of(person): ", ".join(filter(None, [person["post"], units.get(person.get("unit", ""))]))
        for person in sample["people"]
    }
    return {username: post for username, post in posts.items() if username in active}
