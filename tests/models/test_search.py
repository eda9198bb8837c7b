"""What is found by which words, and which names look alike; the same rows on both databases."""

from collections.abc import Callable
from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection, models
from django.test.utils import CaptureQueriesContext

from partnerships.factories import (
    DAY,
    ActivityFactory,
    AgreementFactory,
    ContactFactory,
    ContactNoteFactory,
    DocumentVersionFactory,
    EnterpriseFactory,
    EventFactory,
    InstitutionFactory,
    MilestoneFactory,
    OrganizationCodeFactory,
    OrganizationFactory,
    OrganizationNameFactory,
    RegionFactory,
    ReportedFigureFactory,
    SourceFactory,
)
from partnerships.models import (
    Activity,
    Agreement,
    Contact,
    ContactNote,
    Document,
    Event,
    Institution,
    Milestone,
    NameKey,
    Organization,
    OrganizationName,
    ReportedFigure,
    SearchEntry,
    Source,
    Statement,
)
from partnerships.models.organizations import ids_below, read_wholes

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
        "浙江纺织",  # without the space of the name
        "浙江紡織",  # traditional signs
        "zhejiang-fashion",
        "ZhejiangFashion",
        "Université",
        "universite",
    ],
)
def test_found_by_words_in_either_language(text: str) -> None:
    college = InstitutionFactory(
        name="Zhejiang Fashion Textile College – Université", name_zh="浙江 纺织服装职业学院嵊州校区"
    )
    OrganizationNameFactory(organization=college, name="ZFTC")
    InstitutionFactory(name="Hangzhou College", name_zh="杭州学院")
    assert [row.pk for row in Organization.objects.search(text)] == [college.pk]
    assert [row.pk for row in Institution.objects.search(text)] == [college.pk]


@pytest.mark.parametrize("text", ["%", "_", "100%", "'", "\\", "浙江 杭州"])
def test_signs_are_searched_as_they_are(text: str) -> None:
    OrganizationFactory(name="Zhejiang", name_zh="浙江")
    OrganizationFactory(name="Hangzhou", name_zh="杭州")
    assert list(Organization.objects.search(text)) == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("让保罗学院", "让·保罗"),
        ("让·保罗学院", "让保罗"),
        ("双高院校", "“双高”"),
        ("Müller", "mueller"),
        ("Søren", "soeren"),
        ("Œuvre", "oeuvre"),
    ],
)
def test_found_in_another_spelling(name: str, text: str) -> None:
    organization = OrganizationFactory(name=name)
    assert list(Organization.objects.search(text)) == [organization]


def test_a_credit_code_is_found_and_kept_in_one_form() -> None:
    organization = OrganizationFactory(uscc="91330000 142918732x")
    assert organization.uscc == "91330000142918732X"
    assert list(Organization.objects.search("142918732x")) == [organization]
    same = Organization(name="Same", kind="enterprise", uscc="９１３３００００ 142918732ｘ")
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
    titles = {"title": "Framework agreement", "title_zh": "校企合作协议"}
    agreement = AgreementFactory(**titles, reference="2026-017", parties=[enterprise])
    AgreementFactory(title="Memorandum")
    for text in ("frame", "校企", "2026-017", "中谊"):
        assert list(Agreement.objects.search(text)) == [agreement]


def test_a_milestone_is_found_by_its_words_and_its_agreement() -> None:
    agreement = AgreementFactory(signed=True, title="框架协议")
    milestone = MilestoneFactory(agreement=agreement, title="Annual report", title_zh="年度报告")
    MilestoneFactory()
    for text in ("annual", "年度", "框架"):
        assert list(Milestone.objects.search(text)) == [milestone]


def test_an_activity_or_an_event_is_found_by_its_words() -> None:
    guest = EnterpriseFactory(name="Zhongyi")
    titles = {"title": "Visit to the workshop", "title_zh": "车间参观"}
    activity = ActivityFactory(**titles, place="嵊州", organizations=[guest])
    event = EventFactory(name="Docking meeting", name_zh="对接会", place="Hangzhou")
    assert [list(Activity.objects.search(text)) for text in ("workshop", "参观", "嵊州", "zhongyi")] == [[activity]] * 4
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
        ("浙江默示机械厂", "默示机械厂"),
        ("默示机械厂", "浙江默示机械厂"),
        ("浙江默示機械廠", "浙江默示机械厂"),
        ("杭州市默示机械有限公司", "默示机械"),
        ("Ningbo Zhongyi Machinery", "Zhongyi Machinery Ltd."),
        ("X University, Taiwan", "X University, New Taipei, Taiwan"),
        ("X University, New Taipei, Taiwan", "X University, Taiwan"),
        ("École Centrale", "Ecole centrale"),
        ("Nestlé S.A.", "Nestle"),
        ("Ericsson GmbH", "Ericsson AG"),
        ("Søren Ødegård A/S", "Soren Odegard"),
        ("Universität Köln", "Universitaet Koeln"),
        ("Mueller GmbH", "Müller"),
        ("Toyota", "Toyota Kabushiki Kaisha"),
        ("株式会社東芝", "东芝"),
        ("The Boeing Company", "Boeing"),
        ("Johnson & Johnson", "Johnson and Johnson Ltd."),
        ("嵊州市默示领带厂", "嵊州默示领带厂"),
        ("浙江嵊州默示领带厂", "浙江省嵊州市默示领带厂"),
        ("中国默示银行股份有限公司嵊州支行", "中国默示银行嵊州支行"),
    ],
)
def test_a_short_or_legal_form_looks_alike(known: str, typed: str) -> None:
    organization = OrganizationFactory(name=known)
    assert list(Organization.objects.look_alikes(typed)) == [organization]


@pytest.mark.parametrize("typed", ["浙江恒远机械", "Zhonghua Machinery", "浙", "Co., Ltd.", "—", "", "机械"])
def test_a_stranger_does_not_look_alike(typed: str) -> None:
    OrganizationFactory(name="Zhongyi Machinery Co., Ltd.", name_zh="浙江中谊机械有限公司")
    assert list(Organization.objects.look_alikes(typed)) == []


@pytest.mark.parametrize(
    ("known", "typed"),
    [
        ("东南大学", "东北大学"),
        ("浙江大学", "浙江工业大学"),
        ("Ningbo University", "Ningbo Institute of Technology"),
        ("中谊机械", "恒远机械"),
        ("宁波市江北区人民政府", "宁波市海曙区人民政府"),
        ("嵊州市人民医院", "新昌县人民医院"),
    ],
)
def test_names_with_a_word_in_common_do_not_look_alike(known: str, typed: str) -> None:
    OrganizationFactory(name=known)
    assert list(Organization.objects.look_alikes(typed)) == []
    assert Organization.objects.look_alikes_of([typed]) == {typed: []}


def test_a_source_a_figure_a_document_a_note_and_a_contact_are_found_by_what_they_say() -> None:
    source = SourceFactory(title="Docking meeting", authors="Wang Xiaoming")
    statement = Statement.objects.create(source=source, number=1, opening="It", text="Works with Fortune 500 firms")
    figure = ReportedFigureFactory(name="Students trained", name_zh="培训学生", source=source)
    version = DocumentVersionFactory(original_name="签约文本.pdf")
    note = ContactNoteFactory(summary="Asked about artificial intelligence")
    contact = ContactFactory(name="王小明", position="院长助理")

    def found(model: type[models.Model], words: str) -> list[int]:
        return list(SearchEntry.objects.matching(model, words).values_list("object_id", flat=True))

    for words in ("xiaoming", "fortune 500", "Fortune500"):
        assert found(Source, words) == [source.pk]
    assert found(ReportedFigure, "培训學生") == [figure.pk]
    assert found(Document, "签约文本") == [version.document_id]
    assert found(ContactNote, "artificial intelligence") == [note.pk]
    assert found(Contact, "院长") == [contact.pk]
    statement.text = "Works with many firms"
    statement.save()
    assert found(Source, "fortune") == []
    statement.delete()
    assert found(Source, "many firms") == []


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


def test_what_lies_in_a_region_is_found_by_its_names_and_by_what_its_page_says() -> None:
    region = RegionFactory(name="Shengzhou", name_zh="嵊州市")
    words = {"industry": "bearings", "address": "8 Harbor Road", "description": "Makes 电声 parts."}
    firm = EnterpriseFactory(name="Firm", region=region, **words)
    fair = EventFactory(name="Fair", region=region)
    EnterpriseFactory(name="Elsewhere", region=RegionFactory(name="Hangzhou"))

    for text in ("shengzhou", "嵊州", "Bearings", "harbor road", "电声"):
        assert list(Organization.objects.search(text)) == [firm]
    assert list(Event.objects.search("嵊州")) == [fair]

    region.name = "Sheng County"
    region.save()
    assert (list(Organization.objects.search("sheng county")), list(Event.objects.search("sheng county"))) == (
        [firm],
        [fair],
    )


def test_the_entries_of_places_on_record_are_written_again() -> None:
    firm = EnterpriseFactory(region=RegionFactory(name="Shengzhou"), description="Makes 电声 parts.")
    OrganizationNameFactory(organization=firm, name="ZFTC")
    SearchEntry.objects.all().delete()

    import_module("partnerships.migrations.0036_search_places_and_descriptions").write_entries(apps, None)

    for text in ("shengzhou", "电声", "zftc"):
        assert list(Organization.objects.search(text)) == [firm]


def test_a_part_is_found_by_the_names_of_all_that_it_is_part_of() -> None:
    college = InstitutionFactory(name="Harbor College", name_zh="海港学院")
    OrganizationNameFactory(organization=college, name="HC")
    school = InstitutionFactory(name="School of Management", part_of=college)
    institute = InstitutionFactory(name="Logistics Institute", part_of=school)

    assert list(Organization.objects.search("海港 management")) == [institute, school]
    assert list(Organization.objects.search("HC logistics")) == [institute]

    college.name = "Harbor University"
    college.save()
    assert list(Organization.objects.search("harbor university logistics")) == [institute]

    school.part_of = None
    school.save()
    for word in ("harbor", "海港", "hc"):
        assert list(Organization.objects.search(word)) == [college]


def queries_of(save: Callable[[], None], table: str = "") -> int:
    with CaptureQueriesContext(connection) as captured:
        save()
    return sum(table in query["sql"] for query in captured)


def test_renaming_a_whole_costs_the_same_with_more_parts_and_leaves_their_keys_alone() -> None:
    college = InstitutionFactory(name="Harbor College")
    school = InstitutionFactory(name="School of Management", part_of=college)
    InstitutionFactory(name="Logistics Institute", part_of=school)
    college.name = "Harbor University"
    few = queries_of(college.save)

    more = InstitutionFactory.create_batch(4, part_of=college, region=RegionFactory())
    lowest = [InstitutionFactory(part_of=part) for part in more]
    InstitutionFactory.create_batch(4, part_of=InstitutionFactory())
    college.name = "Dockside University"
    assert queries_of(college.save) == few
    assert set(Organization.objects.search("dockside")) > {college, school, *more, *lowest}

    college.name, alone = "Beacon University", InstitutionFactory()
    alone.name = "Beacon College"
    assert queries_of(college.save, "namekey") == queries_of(alone.save, "namekey")


def test_renaming_a_region_costs_the_same_with_more_organizations() -> None:
    region = RegionFactory(name="Shengzhou")
    InstitutionFactory(region=region, part_of=InstitutionFactory())
    region.name = "Sheng County"
    few = queries_of(region.save)

    more = [InstitutionFactory(region=region, part_of=InstitutionFactory()) for _ in range(4)]
    region.name = "Sheng City"
    assert queries_of(region.save) == few
    assert set(Organization.objects.search("sheng city")) > set(more)


def test_the_parts_of_one_whole_are_read_without_those_of_others() -> None:
    college = InstitutionFactory()
    school = InstitutionFactory(part_of=college)
    institute = InstitutionFactory(part_of=school)
    others = InstitutionFactory.create_batch(3, part_of=InstitutionFactory())

    assert ids_below([college.pk, others[0].pk]) == {school.pk, institute.pk}
    assert ids_below(Organization.objects.filter(pk=school.pk).values_list("pk", flat=True)) == {institute.pk}
    assert read_wholes([institute.pk]).parents == {institute.pk: school.pk, school.pk: college.pk, college.pk: None}


def test_a_foreign_organization_is_found_by_its_country_in_both_languages() -> None:
    foreign = InstitutionFactory(name="TU Berlin", country="DE")
    bank = EnterpriseFactory(name="Bank of China", name_zh="中国银行")
    EnterpriseFactory(name="Forge", name_zh="锻造厂")

    for text in ("Germany", "德国"):
        assert list(Organization.objects.search(text)) == [foreign]
    for text in ("China", "中国"):
        assert list(Organization.objects.search(text)) == [bank]


def test_an_organization_is_found_by_its_external_codes() -> None:
    code = OrganizationCodeFactory(scheme="Erasmus", code="D NECKART01")
    OrganizationFactory()

    assert [list(Organization.objects.search(text)) for text in ("neckart01", "d neckart01")] == [
        [code.organization]
    ] * 2
    code.delete()
    assert list(Organization.objects.search("neckart01")) == []


def test_an_agreement_is_found_by_the_name_its_partner_had() -> None:
    firm = EnterpriseFactory(name="Harbor Works")
    OrganizationNameFactory(organization=firm, name="Dockside Forge", kind="former", valid_until=DAY)
    agreement = AgreementFactory(title="Memorandum", parties=[firm])

    assert list(Agreement.objects.search("dockside")) == [agreement]
