"""Sample partners, in addition to those of the articles, and their contacts."""

from typing import NamedTuple

from partnerships.demo.office import SampleOffice, sample_code
from partnerships.factories import (
    AssociationFactory,
    ContactFactory,
    EnterpriseFactory,
    GovernmentBodyFactory,
    InstitutionFactory,
    MilestoneFactory,
    OrganizationNameFactory,
)
from partnerships.models import Contact, Organization, Region

ASSOCIATION = "shengzhou-machinery-industry-association"


class SamplePartner(NamedTuple):
    kind: str
    name: str
    name_zh: str
    short: str
    region: str
    industry: str = ""


PARTNERS = {
    "kunyu": SamplePartner(
        "enterprise",
        "Shaoxing Kunyu Automation Equipment Co., Ltd.",
        "绍兴坤宇自动化设备有限公司",
        "Kunyu Automation",
        "shaoxing",
        "Automation equipment",
    ),
    "haotian": SamplePartner(
        "enterprise",
        "Ningbo Haotian Precision Bearing Co., Ltd.",
        "宁波昊天精密轴承有限公司",
        "Haotian Bearing",
        "ningbo",
        "Bearings",
    ),
    "lanting": SamplePartner(
        "enterprise",
        "Hangzhou Lanting Data Technology Co., Ltd.",
        "杭州兰亭数据技术有限公司",
        "Lanting Data",
        "hangzhou",
        "Industrial software",
    ),
    "dongou": SamplePartner(
        "enterprise", "Zhejiang Dongou Valve Group", "浙江东瓯阀门集团有限公司", "Dongou Valve", "zhejiang", "Valves"
    ),
    "smart-association": SamplePartner(
        "association",
        "Shaoxing Smart Manufacturing Association",
        "绍兴市智能制造协会",
        "SSMA",
        "shaoxing",
    ),
    "training-center": SamplePartner(
        "institution", "Shaoxing Municipal Skills Training Center", "绍兴市技能实训中心", "Skills Center", "shaoxing"
    ),
    "skills-bureau": SamplePartner(
        "government_body",
        "Shaoxing Municipal Office for Vocational Skills",
        "绍兴市职业技能工作办公室",
        "Skills Office",
        "shaoxing",
    ),
}
FACTORIES = {
    "enterprise": EnterpriseFactory,
    "association": AssociationFactory,
    "institution": InstitutionFactory,
    "government_body": GovernmentBodyFactory,
}
# Organization's code, name, position, how they like to be reached, whether to ask the coordinator first.
CONTACTS = {
    "jin": ("shuangniao-group", "Jin Haifeng", "Head of research and development", Contact.Channel.WECHAT, False),
    "shen": ("zhongyi-machinery", "Shen Meihua", "Head of human resources", Contact.Channel.PHONE, False),
    "pan": ("tiansheng-machinery", "Pan Zhiyong", "General manager's office", Contact.Channel.EMAIL, True),
    "fu": ("special-chain-wheel", "Fu Guoping", "Chief engineer", Contact.Channel.PHONE, False),
    "yao": ("sample-kunyu", "Yao Lili", "Recruiting", Contact.Channel.WECHAT, False),
    "dai": ("sample-haotian", "Dai Jun", "Head of production", Contact.Channel.PHONE, False),
    "wang": ("sample-lanting", "Wang Siqi", "University relations", Contact.Channel.EMAIL, False),
    "lou": (ASSOCIATION, "Lou Jianhua", "Secretary general", Contact.Channel.PHONE, True),
}


def add_organizations(office: SampleOffice) -> None:
    for key, partner in PARTNERS.items():
        _add_partner(office, key, partner)
    for number, key in enumerate(CONTACTS, start=1):
        _add_contact(office, key, number)
    _ask_for_the_new_board(office)


def _add_partner(office: SampleOffice, key: str, partner: SamplePartner) -> None:
    staff, on = office.people["wu"], office.day(-600)
    organization = office.add(
        FACTORIES[partner.kind],
        key,
        by=staff,
        on=on,
        name=partner.name,
        name_zh=partner.name_zh,
        region=Region.objects.get(code=partner.region),
        industry=partner.industry,
        **({"institution_type": Organization.InstitutionType.SECONDARY_VOCATIONAL} if key == "training-center" else {}),
    )
    office.add_part(OrganizationNameFactory, by=staff, on=on, organization=organization, name=partner.short)


def _add_contact(office: SampleOffice, key: str, number: int) -> None:
    organization, name, position, channel, ask_first = CONTACTS[key]
    office.contacts[key] = office.add(
        ContactFactory,
        f"contact-{key}",
        by=office.people["wu"],
        on=office.day(-420),
        organization=office.organization(organization),
        name=name,
        position=position,
        email=f"{name.lower().replace(' ', '.')}@example.com",
        phone=f"0575-0100{number:04}",  # no local number begins with 0, so nobody is called by accident
        wechat=f"sample-{key}" if channel == Contact.Channel.WECHAT else "",
        preferred_channel=channel,
        ask_before_contacting=ask_first,
    )


def _ask_for_the_new_board(office: SampleOffice) -> None:
    office.add(
        MilestoneFactory,
        "milestone-board",
        by=office.people["chen"],
        on=office.day(-12),
        organization=office.organization(sample_code("smart-association")),
        unit=office.units["mechanical"],
        owner=office.people["chen"],
        kind="action_point",
        title="Ask who speaks for the association after the election of its board",
        title_zh="询问协会换届后的联系人",
        due_on=office.day(5),
    )
