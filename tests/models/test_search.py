"""What is found by which words, and which names look alike; the same rows on both databases."""

import pytest

from partnerships.factories import (
    ActivityFactory,
    AgreementFactory,
    EnterpriseFactory,
    EventFactory,
    InstitutionFactory,
    MilestoneFactory,
    OrganizationFactory,
    OrganizationNameFactory,
    SourceFactory,
)
from partnerships.models import (
    Activity,
    Agreement,
    Event,
    Institution,
    Milestone,
    NameKey,
    Organization,
    OrganizationName,
    SearchEntry,
)

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.mark.parametrize(
    "text",
    [
        "嵊州",  # two characters, in the middle
        "职业",
        "浙江 纺织",
        "Zhejiang Tex",
        "zhejiang",
        "ＺＨＥＪＩＡＮＧ",  # full width
        "fashion  textile",
        "ZFTC",  # an alias
        "浙江\u200b纺织",  # pasted with an invisible character
        "浙江\x00",
    ],
)
def test_found_by_words_in_either_language(text: str) -> None:
    college = InstitutionFactory(name="Zhejiang Fashion Textile College", name_zh="浙江纺织服装职业学院嵊州校区")
    OrganizationNameFactory(organization=college, name="ZFTC")
    InstitutionFactory(name="Hangzhou College", name_zh="杭州学院")
    assert [row.pk for row in Organization.objects.search(text)] == [college.pk]
    assert [row.pk for row in Institution.objects.search(text)] == [college.pk]


@pytest.mark.parametrize("text", ["%", "_", "100%", "'", "\\", "浙江 杭州"])
def test_signs_are_searched_as_they_are(text: str) -> None:
    OrganizationFactory(name="Zhejiang", name_zh="浙江")
    OrganizationFactory(name="Hangzhou", name_zh="杭州")
    assert list(Organization.objects.search(text)) == []


def test_a_credit_code_is_found_and_kept_in_one_form() -> None:
    organization = OrganizationFactory(uscc="91330000 142918732x")
    assert organization.uscc == "91330000142918732X"
    assert list(Organization.objects.search("142918732x")) == [organization]
    same = Organization(name="Same", kind="enterprise", uscc="91330000142918732x")
    same.clean_fields()
    assert same.uscc == organization.uscc


def test_a_changed_or_removed_name_is_found_no_more() -> None:
    organization = OrganizationFactory(name="Alpha Works")
    alias = OrganizationNameFactory(organization=organization, name="Beta Works")
    assert [Organization.objects.search(word).count() for word in ("alpha", "beta")] == [1, 1]
    alias.delete()
    organization = Organization.objects.get()
    organization.name = "Gamma Works"
    organization.save()
    assert [Organization.objects.search(word).count() for word in ("alpha", "beta", "gamma")] == [0, 0, 1]
    assert list(NameKey.objects.values_list("key", flat=True)) == ["gammaworks"]


def test_a_deleted_row_leaves_no_entry() -> None:
    organization = OrganizationFactory()
    organization.delete()
    assert (SearchEntry.objects.count(), NameKey.objects.count()) == (0, 0)


def test_an_agreement_is_found_by_its_words_and_its_parties() -> None:
    enterprise = EnterpriseFactory(name_zh="中谊机械")
    agreement = AgreementFactory(title="Framework agreement", reference="2026-017", parties=[enterprise])
    AgreementFactory(title="Memorandum")
    for text in ("frame", "2026-017", "中谊"):
        assert list(Agreement.objects.search(text)) == [agreement]


def test_a_milestone_is_found_by_its_words_and_its_agreement() -> None:
    agreement = AgreementFactory(signed=True, title="框架协议")
    milestone = MilestoneFactory(agreement=agreement, title="Annual report", title_zh="年度报告")
    MilestoneFactory()
    for text in ("annual", "年度", "框架"):
        assert list(Milestone.objects.search(text)) == [milestone]


def test_an_activity_or_an_event_is_found_by_its_words() -> None:
    guest = EnterpriseFactory(name="Zhongyi")
    activity = ActivityFactory(title="Visit to the workshop", place="嵊州", organizations=[guest])
    event = EventFactory(name="Docking meeting", name_zh="对接会", place="Hangzhou")
    assert [list(Activity.objects.search(text)) for text in ("workshop", "嵊州", "zhongyi")] == [[activity]] * 3
    assert [list(Event.objects.search(text)) for text in ("docking", "对接", "hang")] == [[event]] * 3


@pytest.mark.parametrize(
    ("known", "typed"),
    [
        ("Zhongyi Machinery Co., Ltd.", "Zhongyi Machinery"),
        ("Zhongyi Machinery", "ZHONGYI MACHINERY GROUP"),
        ("浙江中谊机械有限公司", "浙江中谊机械"),
        ("浙江中谊机械集团", "浙江中谊机械股份有限公司"),
        ("浙江中谊", "浙江中谊机械"),
        ("浙江中谊机械", "浙江中谊"),
        ("Ｚｈｏｎｇｙｉ　Machinery", "zhongyi machinery"),
    ],
)
def test_a_short_or_legal_form_looks_alike(known: str, typed: str) -> None:
    organization = OrganizationFactory(name=known)
    assert list(Organization.objects.look_alikes(typed)) == [organization]


@pytest.mark.parametrize("typed", ["浙江恒远机械", "Zhonghua Machinery", "浙", "Co., Ltd.", "—", "", "机械"])
def test_a_stranger_does_not_look_alike(typed: str) -> None:
    OrganizationFactory(name="Zhongyi Machinery Co., Ltd.", name_zh="浙江中谊机械有限公司")
    assert list(Organization.objects.look_alikes(typed)) == []


def test_a_name_seen_in_a_source_only_is_found_but_does_not_look_alike() -> None:
    organization = OrganizationFactory(name="Zhongyi Machinery")
    OrganizationNameFactory(
        organization=organization, name="Chung-I Works", kind=OrganizationName.Kind.AS_PRINTED, source=SourceFactory()
    )
    assert list(Organization.objects.search("chung")) == [organization]
    assert list(Organization.objects.look_alikes("Chung-I Works")) == []


def test_a_name_that_grows_when_it_is_folded_is_kept() -> None:
    organization = OrganizationFactory(name="ﷺ" * 200)
    assert list(Organization.objects.look_alikes("ﷺ" * 200)) == [organization]
    assert list(Organization.objects.look_alikes("x" * 10_000)) == []
