"""The files that an import is measured with: CSV of organizations, and of a register with new partners and contacts."""

import csv
import io
from collections.abc import Iterator

KINDS = ("organizations", "register")
FIRST = ("Aalto", "Baikal", "Carran", "Delmar", "Egdon", "Fyris", "Garonne", "Hasel", "Isar", "Jarama", "Kemi", "Loire")
LAST = ("berg", "ford", "haven", "lund", "mouth", "sund", "tal", "vik", "wick", "zell", "brück", "holm", "stad", "nes")
SIGNS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)


def spreadsheet(kind: str, rows: int) -> bytes:
    """Return a CSV file of so many rows, of which each is new."""
    text = io.StringIO()
    csv.writer(text).writerows(_register(rows) if kind == "register" else _organizations(rows))
    return text.getvalue().encode()


def _organizations(rows: int) -> Iterator[tuple[str, ...]]:
    yield ("Name", "Chinese name", "Credit code", "Industry", "Address")
    for number in range(rows):
        yield (f"{_place(number)} Works Ltd", _chinese(number), _code(number), "paper", f"{number} Mill Road")


def _register(rows: int) -> Iterator[tuple[str, ...]]:
    """Yield rows of which two name the same partner, and each a contact of its own."""
    yield ("Title", "Partner", "Signed", "Ends", "Contact", "Phone", "Email")
    for number in range(rows):
        place = _place(number // 2)
        phone, address = f"138{number:08}", f"person{number}@example.org"
        year = 2021 + number % 5
        day = f"{year}-03-{number % 28 + 1:02}"
        yield (
            f"MoU {number + 1} {place}",
            f"University of {place}",
            day,
            f"{year + 5}-03-01",
            _person(number),
            phone,
            address,
        )


def _place(number: int) -> str:
    """Return a name that resembles none of the others: its first letters differ, and so do its last."""
    digits = [(number * 7919 + 12345) % 1_000_003]
    letters = ""
    value = digits[0]
    for _place in range(5):
        value, rest = divmod(value, 20)
        letters += "bcdfghjklmnprstvwxyz"[rest] + "aeiou"[rest % 5]
    return f"{letters.capitalize()}{LAST[number % len(LAST)]}{letters[::-1]}"


def _chinese(number: int) -> str:
    signs = ""
    value = (number * 7919 + 12345) % 1_000_003
    for _sign in range(4):
        value, rest = divmod(value, 40)
        signs += "安保昌成达东方丰福富高冠光广国海汉昊和恒弘华惠佳建江金景凯康科朗乐力联龙美明宁鹏"[rest]
    return f"{signs}{signs[::-1]}厂"


def _person(number: int) -> str:
    return f"{FIRST[number % len(FIRST)]} {_place(number)}"


def _code(number: int) -> str:
    """Return a unified social credit code with its check digit."""
    body = f"91330000{number:09}"
    total = sum(SIGNS.index(sign) * weight for sign, weight in zip(body, WEIGHTS, strict=True))
    return body + SIGNS[-total % 31]
