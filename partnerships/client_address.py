"""The network address a request comes from, seen through the reverse proxies of the site."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str | None:
    """Return the client's IP address, or None when the connection has none (a socket file).

    Each proxy appends the address that connected to it, so with n proxies of our own the n-th entry from the right is
    the client. What stands further left was sent by the client and proves nothing.
    """
    if settings.TRUSTED_PROXIES:
        entries = request.headers.get("X-Forwarded-For", "").split(",")
        if len(entries) >= settings.TRUSTED_PROXIES:
            found = _without_port(entries[-settings.TRUSTED_PROXIES].strip())
            if found:
                return found
    return _without_port(request.META.get("REMOTE_ADDR", ""))


def client_network(request: HttpRequest) -> str | None:
    """Return the address that login limits count by: of IPv6 the /64 network, all of which one machine may use."""
    address = client_address(request)
    if address is None or ipaddress.ip_address(address).version == 4:
        return address
    return str(ipaddress.ip_network(f"{address}/64", strict=False).network_address)


def is_loopback(request: HttpRequest) -> bool:
    """Whether the client is this machine itself. A proxy that settings do not name is never taken for the client."""
    # A proxy on this machine makes every client look local.
    if not settings.TRUSTED_PROXIES and "X-Forwarded-For" in request.headers:
        return False
    address = client_address(request)
    return address is not None and ipaddress.ip_address(address).is_loopback


def _without_port(entry: str) -> str | None:
    """Return the address in "192.0.2.1", "192.0.2.1:443", "2001:db8::1" or "[2001:db8::1]:443"; None for anything else."""
    if entry.startswith("["):
        entry = entry[1:].partition("]")[0]
    elif entry.count(":") == 1:
        entry = entry.partition(":")[0]
    try:
        address = ipaddress.ip_address(entry.partition("%")[0])
    except ValueError:
        return None
    # The same client over a dual-stack socket must count as one.
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)
