"""Every page of the admin for every role: opened, searched, filtered, sorted; what each may open stands in a table."""

from functools import partial

import pytest
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from partnerships.factories import MilestoneFactory, OrganizationFactory, UserFactory
from partnerships.models import Milestone, SecurityEvent
from tests.admin.worlds import ROLES, rows_of
from tests.services.drawing import undrawn

pytestmark = pytest.mark.django_db
REGISTERED = {
    model._meta.model_name: page
    for model, page in admin.site._registry.items()
    if model._meta.app_label == "partnerships"
}
PAGES = ("list", "add", "own", "twin", "history of own", "history of twin", "delete own")
# 200 opened; 403 refused; 302 not there for this person: the admin goes to the index, or to the login at the door.
OPEN, CLOSED = (200,) * 6 + (403,), (403,) * 7
OPEN_AND_DELETABLE = (200,) * 7
READ_ONLY = (200, 403, 200, 200, 200, 200, 403)
OWN = (200, 200, 200, 302, 200, 403, 403)
DIRECTORY = (200, 200, 200, 200, 200, 403, 403)
DELETABLE_OWN = (*OWN[:-1], 200)
DELETABLE_DIRECTORY = (*DIRECTORY[:-1], 200)
ORGANIZATIONS = ("organization", "institution", "enterprise", "association", "governmentbody")
REFERENCE = ("agreementtype", "cooperationarea", "region", "workcalendar", "honourscheme")
QUOTED = ("achievement", "reportedfigure")
CORRECTED = (*ORGANIZATIONS, "contact", "event", "honour", "facility", "demand", "activity", "contactnote", "programme")

OFFICE = {
    **dict.fromkeys(REGISTERED, OPEN),
    **dict.fromkeys((*REFERENCE, *QUOTED, *CORRECTED, "source", "reminderrule"), OPEN_AND_DELETABLE),
    "answer": READ_ONLY,
    # Added on the page of the agreement; what a signed one promises is deleted by those who may amend it.
    "payment": (*READ_ONLY[:-1], 200),
    "citation": (*READ_ONLY[:-1], 200),
    "reminderplan": READ_ONLY,
}
TABLE = {
    "staff": {**OFFICE, "user": CLOSED, "unit": READ_ONLY},
    "system_admin": {**OFFICE, "user": OPEN, "unit": OPEN_AND_DELETABLE, "payment": READ_ONLY},
    "user_admin": {
        **dict.fromkeys(REGISTERED, CLOSED),
        # Django's own history page says that there is nothing here before it asks who is asking.
        "reminderplan": (403, 403, 403, 403, 302, 302, 403),
        "user": OPEN,
        "unit": OPEN_AND_DELETABLE,
    },
    "lead": {
        **dict.fromkeys(REGISTERED, OWN),
        **dict.fromkeys(CORRECTED, DELETABLE_OWN),
        **dict.fromkeys((*ORGANIZATIONS, "event", "programme", "honour"), DELETABLE_DIRECTORY),
        "source": OPEN,
        **dict.fromkeys(QUOTED, DELETABLE_DIRECTORY),
        "answer": (200, 403, 200, 302, 200, 403, 403),
        "payment": (200, 403, 200, 302, 200, 403, 200),
        **dict.fromkeys(REFERENCE, READ_ONLY),
        "reminderplan": (200, 403, 200, 302, 200, 302, 403),
        "reminderrule": (200, 200, 200, 302, 200, 403, 200),
        "user": CLOSED,
        "citation": CLOSED,
        "unit": (200, 403, 200, 302, 200, 403, 403),
    },
    "coordinator": dict.fromkeys(REGISTERED, (302,) * 7),
    "viewer": dict.fromkeys(REGISTERED, (302,) * 7),
}


def addresses(name, own, twin):
    prefix = f"admin:partnerships_{name}_"
    return [
        reverse(f"{prefix}changelist"),
        reverse(f"{prefix}add"),
        *(reverse(f"{prefix}change", args=[row.pk]) for row in (own, twin)),
        *(reverse(f"{prefix}history", args=[row.pk]) for row in (own, twin)),
        reverse(f"{prefix}delete", args=[own.pk]),
    ]


@pytest.mark.parametrize("role", ROLES)
def test_who_opens_which_page(world, enter, role):
    client = enter(world.people[role])
    # Those of system administrators are drawn: pages of the office are the same, but for accounts.
    get = partial(undrawn, client) if role == "staff" else client.get

    seen = {name: tuple(get(url).status_code for url in addresses(name, *world.rows[name])) for name in REGISTERED}

    assert seen == TABLE[role]


def test_every_model_with_a_page_has_twin_rows_to_test_it_with(world):
    assert set(world.rows) == set(REGISTERED)


WORDS = ("?q=湖州", "?q=Huzhou", "?q=%E6%B9%96", "?q=nobody", "?q='\"%25_\\", "?q=湖州+Huzhou", "?o=1.-2.3", "?p=99")


def questions(page, request):
    """The first choices of each filter and its last, each sortable column, and some words, as query strings of a list."""
    changelist = page.get_changelist_instance(request)
    filters = [list(spec.choices(changelist)) for spec in changelist.filter_specs]
    choices = [choice for choices in filters for choice in (*choices[:3], *choices[3:][-1:])]
    columns = [f"?o={number}" for number in range(1, len(changelist.list_display) + 1)]
    return [*(choice["query_string"] for choice in choices), *columns, *WORDS]


@pytest.mark.parametrize("role", ["staff", "lead", "user_admin"])
def test_every_list_is_searched_filtered_and_sorted(world, rf, role):
    seen = {}
    for name, page in REGISTERED.items():
        url = reverse(f"admin:partnerships_{name}_changelist")
        if page.has_view_permission(request_of(rf, url, world.people[role])):
            asked = questions(page, request_of(rf, url, world.people[role]))
            seen |= {url + query: answer(page, request_of(rf, url + query, world.people[role])) for query in asked}

    assert len(seen) > 10
    assert seen == dict.fromkeys(seen, 200)


def request_of(rf, url, person):
    request = rf.get(url)
    request.user = person
    return request


def answer(page, request):
    """The status of a change list whose rows were read; its template is rendered by the test of who opens what."""
    response = page.changelist_view(request)
    if response.status_code == 200:
        list(response.context_data["cl"].result_list)
    return response.status_code


# These have no names, or names that do not say whose they are.
SEARCHED = sorted(set(REGISTERED) - {"reminderrule", "agreementtype", "cooperationarea"})


@pytest.mark.parametrize(("word", "twin_word"), [("湖州", "台州"), ("Huzhou", "Taizhou"), ("huzh", "TAIZH")])
def test_rows_are_found_by_chinese_and_english_words(world, rf, word, twin_word):
    request = rf.get("/")
    request.user = world.people["system_admin"]

    def found(name, term):
        page = REGISTERED[name]
        rows = page.get_search_results(request, page.get_queryset(request), term)[0]
        return [row in rows for row in world.rows[name]]

    seen = {name: (found(name, word), found(name, twin_word)) for name in SEARCHED}
    assert seen == dict.fromkeys(SEARCHED, ([True, False], [False, True]))


def test_a_list_costs_the_same_with_more_rows(world, enter):
    client = enter(world.people["system_admin"])
    lists = [reverse(f"admin:partnerships_{name}_changelist") for name in REGISTERED]

    def queries():
        return {url: queries_for(client, url) for url in lists}

    queries()
    few = queries()
    rows_of(world.unit, "Third", "第三")
    queries()  # the first look at a contact goes into the security log
    assert queries() == few


def queries_for(client, url):
    with CaptureQueriesContext(connection) as captured:
        client.get(url)
    return [query["sql"][:60] for query in captured]


SOURCES = {
    "agreement": ("milestone", "agreement"),
    "milestone": ("contactnote", "milestone"),
    "contact": ("contactnote", "contact"),
    "unit": ("unit", "parent"),
    "user": ("agreement", "coordinator"),
    "document": ("documentversion", "document"),
    "answer": ("demandoutcome", "answer"),
    "reminderplan": ("reminderitem", "plan"),
}
FURTHER_SOURCES = {"organization": ("agreementparty", "organization"), "cooperationarea": ("agreementarea", "area")}


def offers(client, name):
    """The words of every row of ``name`` that an autocomplete offers."""
    model, field = {**SOURCES, **FURTHER_SOURCES}[name]
    query = {"app_label": "partnerships", "model_name": model, "field_name": field, "term": ""}
    return {row["text"] for row in client.get(reverse("admin:autocomplete"), query).json()["results"]}


@pytest.mark.parametrize("name", [*SOURCES, "organization"])
def test_autocompletes_offer_a_lead_nothing_of_another_unit(world, enter, name):
    offered = offers(enter(world.people["lead"]), name)
    of_all = offers(enter(world.people["staff"]), name)

    twin = str(world.rows[name][1])
    assert twin in of_all
    assert (twin in offered) == (name == "organization")  # the directory is everybody's


@pytest.mark.parametrize("name", sorted(set(SOURCES) - {"unit", "user"}))
def test_autocompletes_offer_an_administrator_of_accounts_no_partnerships(world, enter, name):
    assert offers(enter(world.people["user_admin"]), name) == set()


def test_autocompletes_offer_an_auditor_nothing_but_themselves(world, enter):
    auditor = UserFactory(auditor=True)
    client = enter(auditor)
    offered = {name: offers(client, name) for name in ("organization", "cooperationarea", *SOURCES)}

    assert {name for name, texts in offered.items() if texts} == {"user"}
    assert offered["user"] == {str(auditor)}


def test_a_lead_cannot_post_another_units_rows_into_a_form(world, enter):
    client = enter(world.people["lead"])
    _own, twin = world.rows["agreement"]
    data = {
        "title": "Smuggled",
        "kind": "agreement",
        "unit": world.unit.pk,
        "agreement": twin.pk,
        "due_on": "2027-01-01",
    }

    response = client.post(reverse("admin:partnerships_milestone_add"), data | _no_documents())

    assert list(response.context["adminform"].form.errors) == ["agreement"]
    assert Milestone.objects.filter(title="Smuggled").count() == 0


def test_acts_on_many_rows_are_those_of_the_pages(world, enter):
    staff, milestone = world.people["staff"], MilestoneFactory()
    client, back = enter(staff), reverse("admin:partnerships_milestone_changelist")
    chosen = {"action": "reassign", "_selected_action": [milestone.pk], "index": 0}

    partners = client.get(reverse("admin:partnerships_enterprise_changelist"))
    page = client.post(f"{back}?status__exact=open", chosen, follow=True)
    person = {"owner": staff.pk, "chosen": milestone.pk, "act": "reassign", "step": "do"}
    done = client.post(page.wsgi_request.path, person | {"next": page.context["chosen"].back}, follow=True)

    assert list(partners.context["cl"].model_admin.get_actions(partners.wsgi_request)) == ["export", "merge"]
    assert list(page.context["rows"]) == [milestone.pk]
    assert done.redirect_chain[-1][0] == f"{back}?status__exact=open"
    assert "Reassigned: 1 item." in done.text
    milestone.refresh_from_db()
    assert milestone.owner == staff


def _no_documents():
    return {"documents-TOTAL_FORMS": "0", "documents-INITIAL_FORMS": "0"}


def test_selected_rows_of_any_list_are_exported(world, enter):
    """The file is that of the pages: with their permission, their redactions and their line in the security log."""
    partner, other = OrganizationFactory(), OrganizationFactory()
    back = reverse("admin:partnerships_enterprise_changelist")
    chosen = {"action": "export", "_selected_action": [partner.pk], "index": 0}
    client = enter(world.people["staff"])

    page = client.post(back, chosen, follow=True)
    file = client.post(page.wsgi_request.path, {"act": "export", "chosen": partner.pk, "format": "csv"})
    text = b"".join(file.streaming_content).decode("utf-8-sig")

    assert (partner.name in text, other.name in text) == (True, False)
    assert SecurityEvent.objects.filter(kind="export_fetched", user=world.people["staff"]).count() == 1


def test_a_filter_is_saved_under_a_name(world, enter):
    client, back = enter(world.people["staff"]), reverse("admin:partnerships_milestone_changelist")
    asked = {"list": "admin:partnerships_milestone_changelist", "query": "status__exact=met", "name": "All done"}

    first = client.get(f"{back}?status__exact=met&p=1").text
    saved = client.post(reverse("saved_view_add"), asked)
    page = client.get(saved.url).text
    colleague = enter(world.people["system_admin"]).get(back).text

    assert ("Save this view" in first, saved.url) == (True, f"{back}?status__exact=met")
    assert '<a href="?status__exact=met" aria-current="true">All done</a>' in page
    assert "Save this view" not in page
    assert "All done" not in colleague
    assert (
        client.post(reverse("saved_view_add"), asked | {"list": "admin:partnerships_x_changelist"}).status_code == 404
    )
