"""Every page of the admin for every role: opened, searched, filtered, sorted; what each may open stands in a table."""

import pytest
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from partnerships.models import Milestone
from tests.admin.worlds import ROLES, rows_of

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
MACHINE_WRITTEN = (200, 403, 200, 302, 200, 302, 403)
ORGANIZATIONS = ("organization", "institution", "enterprise", "association", "governmentbody")
REFERENCE = ("agreementtype", "cooperationarea", "region", "workcalendar")

OFFICE = {
    **dict.fromkeys(REGISTERED, OPEN),
    **dict.fromkeys((*REFERENCE, "source", "reminderrule"), OPEN_AND_DELETABLE),
    **dict.fromkeys(("reminderplan", "delivery"), READ_ONLY),
}
TABLE = {
    "staff": {**OFFICE, "user": CLOSED, "unit": READ_ONLY},
    "system_admin": {**OFFICE, "user": OPEN, "unit": OPEN_AND_DELETABLE},
    "user_admin": {
        **dict.fromkeys(REGISTERED, CLOSED),
        # Django's own history page says that there is nothing here before it asks who is asking.
        **dict.fromkeys(("reminderplan", "delivery"), (403, 403, 403, 403, 302, 302, 403)),
        "user": OPEN,
        "unit": OPEN_AND_DELETABLE,
    },
    "lead": {
        **dict.fromkeys(REGISTERED, OWN),
        **dict.fromkeys((*ORGANIZATIONS, "event"), DIRECTORY),
        **dict.fromkeys((*REFERENCE, "source"), READ_ONLY),
        **dict.fromkeys(("reminderplan", "delivery"), MACHINE_WRITTEN),
        "reminderrule": (200, 200, 200, 302, 200, 403, 200),
        "user": CLOSED,
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

    seen = {
        name: tuple(client.get(url).status_code for url in addresses(name, *world.rows[name])) for name in REGISTERED
    }

    assert seen == TABLE[role]


def test_every_model_with_a_page_has_twin_rows_to_test_it_with(world):
    assert set(world.rows) == set(REGISTERED)


def queries_of(page, client, request_for):
    """Each filter choice and each sortable column of a change list, as query strings."""
    request = request_for(client)
    changelist = page.get_changelist_instance(request)
    for spec in changelist.filter_specs:
        yield from (choice["query_string"] for choice in spec.choices(changelist))
    yield from (f"?o={number}" for number in range(1, len(changelist.list_display) + 1))
    yield from ("?q=湖州", "?q=Huzhou", "?q=%E6%B9%96", "?q=nobody", "?q='\"%_\\", "?q=湖州+Huzhou")


@pytest.mark.parametrize("role", ["staff", "lead"])
@pytest.mark.parametrize("name", sorted(REGISTERED))
def test_every_list_is_searched_filtered_and_sorted(world, enter, rf, role, name):
    page, person = REGISTERED[name], world.people[role]
    client = enter(person)
    url = reverse(f"admin:partnerships_{name}_changelist")
    if TABLE[role][name][0] != 200:
        assert client.get(url).status_code == 403
        return

    def request_for(_client):
        request = rf.get(url)
        request.user = person
        return request

    asked = [query for query in queries_of(page, client, request_for) if "_facets" not in query]
    seen = {query: client.get(url + query).status_code for query in asked}
    assert seen == dict.fromkeys(asked, 200)


SEARCHED = sorted(set(REGISTERED) - {"reminderrule", "agreementtype", "cooperationarea"})


@pytest.mark.parametrize("name", SEARCHED)
@pytest.mark.parametrize(("word", "twin_word"), [("湖州", "台州"), ("Huzhou", "Taizhou"), ("huzh", "TAIZH")])
def test_rows_are_found_by_chinese_and_english_words(world, rf, name, word, twin_word):
    page = REGISTERED[name]
    request = rf.get("/")
    request.user = world.people["system_admin"]
    own, twin = world.rows[name]

    def found(term):
        return set(page.get_search_results(request, page.get_queryset(request), term)[0].values_list("pk", flat=True))

    assert own.pk in found(word)
    assert twin.pk in found(twin_word)
    assert twin.pk not in found(word)


@pytest.mark.parametrize("name", sorted(set(REGISTERED) - {"user"}))
def test_a_list_costs_the_same_with_more_rows(world, enter, name):
    client = enter(world.people["staff"])
    url = reverse(f"admin:partnerships_{name}_changelist")
    client.get(url)
    with CaptureQueriesContext(connection) as few:
        client.get(url)
    rows_of(world.unit, "Third", "第三")
    with CaptureQueriesContext(connection) as more:
        client.get(url)

    assert [query["sql"][:60] for query in more] == [query["sql"][:60] for query in few]


@pytest.mark.parametrize("name", ["organization", "agreement", "milestone", "contact", "unit", "user", "document"])
def test_autocompletes_offer_a_lead_nothing_of_another_unit(world, enter, name):
    sources = {
        "organization": ("agreementparty", "organization"),
        "agreement": ("milestone", "agreement"),
        "milestone": ("contactnote", "milestone"),
        "contact": ("contactnote", "contact"),
        "unit": ("unit", "parent"),
        "user": ("agreement", "coordinator"),
        "document": ("documentversion", "document"),
    }
    model, field = sources[name]
    query = {"app_label": "partnerships", "model_name": model, "field_name": field, "term": "a"}
    url = reverse("admin:autocomplete")

    offered = {row["text"] for row in enter(world.people["lead"]).get(url, query | {"term": ""}).json()["results"]}
    of_all = {row["text"] for row in enter(world.people["staff"]).get(url, query | {"term": ""}).json()["results"]}

    twin = str(world.rows[name][1])
    assert twin in of_all
    assert (twin in offered) == (name == "organization")  # the directory is everybody's


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


def test_nothing_can_be_done_to_many_rows_at_once(world, enter):
    response = enter(world.people["staff"]).get(reverse("admin:partnerships_agreement_changelist"))

    assert response.context["cl"].model_admin.get_actions(response.wsgi_request) == {}


def _no_documents():
    return {"documents-TOTAL_FORMS": "0", "documents-INITIAL_FORMS": "0"}
