"""Cookies of the lists: the density of the rows, the columns of each list, and its address as it was left.

Those of one list are sent to its address and to the pages of its records alone, which lie below it.
"""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

DENSITIES = ("comfortable", "compact")
YEAR = 365 * 24 * 60 * 60
# A cookie has a limit: longer addresses are not remembered.
LONGEST_QUERY = 2000


def is_compact(request: HttpRequest) -> bool:
    return request.COOKIES.get("density") == "compact"


def keep_density(response: HttpResponse, density: str) -> None:
    if density in DENSITIES:
        _set_cookie(response, "density", density, max_age=YEAR)


def kept_columns(request: HttpRequest, key: str) -> list[str]:
    """Return the names of the columns chosen for a list; some may be gone by now."""
    return request.COOKIES.get(f"columns-{key}", "").split(".")


def keep_columns(response: HttpResponse, key: str, names: list[str]) -> None:
    """Keep the columns chosen for a list; without any, those that the list shows at first."""
    if names:
        _set_cookie(response, f"columns-{key}", ".".join(names), path=reverse(key), max_age=YEAR)
    else:
        response.delete_cookie(f"columns-{key}", path=reverse(key), samesite="Lax")


def remember_address(request: HttpRequest, response: HttpResponse, key: str) -> None:
    """Remember the filters, order and page of a list until the browser is closed."""
    query = request.GET.copy()
    query.pop("filters", None)
    address = query.urlencode()
    if len(address) <= LONGEST_QUERY:
        # With the person: another one may log in with the same browser.
        _set_cookie(response, f"seen-{key}", f"{request.user.pk}.{address}", path=reverse(key))


def query_as_left(request: HttpRequest, key: str) -> str | None:
    """Return the query of a list as the person left it; None if they did not open it."""
    person, _dot, query = request.COOKIES.get(f"seen-{key}", "").partition(".")
    return query if person == str(request.user.pk) else None


def address_as_left(request: HttpRequest, key: str) -> str:
    """Return the address of a list as the person left it."""
    query = query_as_left(request, key)
    return f"{reverse(key)}?{query}" if query else reverse(key)


def _set_cookie(response: HttpResponse, name: str, value: str, *, path: str = "/", max_age: int | None = None) -> None:
    is_secure = settings.SESSION_COOKIE_SECURE
    response.set_cookie(name, value, max_age=max_age, path=path, secure=is_secure, httponly=True, samesite="Lax")
