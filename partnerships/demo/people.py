"""The units below the Cooperation office and the people who work there."""

from typing import NamedTuple

import factory
from django.contrib.auth.hashers import make_password

from partnerships.demo.office import SampleOffice
from partnerships.factories import UnitFactory, UserFactory
from partnerships.models import Role, Unit, UnitMembership, User, WorkCalendar

COLLEGE = "zhejiang-industrial-vocational-and-technical-college"
HIRED = -900  # days; before everything else in the sample


class SamplePerson(NamedTuple):
    """A person of the sample office, with a role in one unit or with rights in all."""

    name: str
    role: str
    unit: str = ""  # of the membership
    membership: Role | None = None
    rights: tuple[str, ...] = ()
    language: str = "en"
    is_active: bool = True

    @property
    def username(self) -> str:
        return self.name.lower().replace(" ", ".")

    @property
    def key(self) -> str:
        return self.name.split()[0].lower()

    @property
    def post(self) -> str:
        return f"{self.role}, {UNITS[self.unit][0]}" if self.unit in UNITS else self.role


UNITS = {
    "mechanical": ("School of Mechanical Engineering", "机械工程学院"),
    "information": ("School of Information Technology", "信息工程学院"),
}
PEOPLE = (
    SamplePerson("Chen Yulan", "Coordinator", "mechanical", Role.COORDINATOR),
    SamplePerson("Sun Hao", "Coordinator", "mechanical", Role.COORDINATOR),
    SamplePerson("Ma Xiuying", "Unit lead", "mechanical", Role.LEAD),
    SamplePerson("He Qiang", "Coordinator", "information", Role.COORDINATOR, language="zh-hans"),
    SamplePerson("Guo Min", "Unit lead", "information", Role.LEAD, language="zh-hans"),
    SamplePerson("Luo Ting", "Viewer", "mechanical", Role.VIEWER),
    SamplePerson("Zhou Lifang", "Head of the office", "office", Role.LEAD),
    SamplePerson("Wu Jianguo", "Office staff", rights=("staff",)),
    SamplePerson("Tang Bo", "User administrator", rights=("user_admin",)),
    SamplePerson("Xu Fang", "System administrator", rights=("system_admin",)),
    SamplePerson("Zheng Wei", "Former coordinator", "mechanical", Role.COORDINATOR, is_active=False),
)


def add_people(office: SampleOffice, *, password: str) -> None:
    """Add units, and people with their roles and one password; each department's lead is its fallback person."""
    office.units["office"] = Unit.objects.get(code="cooperation-office")
    for key, (name, name_zh) in UNITS.items():
        _add_unit(office, key, name=name, name_zh=name_zh)
    encoded = factory.Transformer.Force(make_password(password))  # once: hashing is slow on purpose
    for person in PEOPLE:
        _add_person(office, person, password=encoded)
    _set_fallback(office, "mechanical", "ma")
    _set_fallback(office, "information", "guo")


def _add_unit(office: SampleOffice, key: str, **names: str) -> None:
    office.units[key] = office.add(
        UnitFactory,
        f"unit-{key}",
        by=None,
        on=office.day(HIRED),
        parent=office.units["office"],
        organization=office.organization(COLLEGE),
        work_calendar=WorkCalendar.objects.get(code="CN"),
        **names,
    )


def _add_person(office: SampleOffice, person: SamplePerson, *, password: object) -> None:
    given = dict.fromkeys(person.rights, True)
    user = office.add(
        UserFactory,
        f"person-{person.key}",
        by=None,
        on=office.day(HIRED),
        username=person.username,
        name=person.name,
        email=f"{person.username}@example.org",
        language=person.language,
        is_active=person.is_active,
        password=password,
        **given,
    )
    if person.membership:
        UnitMembership(user=user, unit=office.units[person.unit], role=person.membership).save()
    office.people[person.key] = user


def _set_fallback(office: SampleOffice, unit: str, person: str) -> None:
    office.units[unit].fallback_person = office.people[person]
    office.units[unit].save()


def logins() -> list[SamplePerson]:
    """Return the people who are still there and can log in."""
    active = set(User.objects.filter(is_sample=True, is_active=True).values_list("username", flat=True))
    return [person for person in PEOPLE if person.username in active]
