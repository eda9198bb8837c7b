"""Persons in a cell: their names with positions, phone numbers and addresses behind them."""

import re
import unicodedata
from dataclasses import dataclass, replace

from partnerships.names import has_chinese

EMAIL = re.compile(r"(?<![A-Za-z0-9._%+'-])(?:mailto:)?([A-Za-z0-9._%+'-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)")
PHONE = re.compile(
    r"(?:(?:tel|phone|mobile|cell|电话|手机|联系电话)[.:： ]*)?((?:\+|00)?(?:\(\d{2,4}\) ?)?\d(?:[\d\- ]|\(\d{1,4}\)){5,}\d(?: ?(?:转|ext\.?|分机) ?\d+)?)",
    re.IGNORECASE,
)
HONORIFIC = re.compile(r"^(?:mr|ms|mrs|miss|mx)\.? ", re.IGNORECASE)
ACADEMIC = re.compile(r"^((?:(?:prof(?:essor)?|dr|assoc\.? prof|asst\.? prof)\.? )+)", re.IGNORECASE)
CHINESE_POSITION = re.compile(
    r"(?P<name>[\u4e00-\u9fff·]{2,4})[ ,，]+(?P<position>\S*(?:长|主任|经理|教授|院士|秘书|主席|总监|总裁|总|专员|干事|科员|讲师|研究员|代表|董事|负责人|助理|书记)\S*)"
)
IN_BRACKETS = re.compile(r"^(?P<name>[^()（）]+?) ?[(（](?P<position>[^()（）]*)[)）] ?(?P<rest>.*)$")
# 王小明13800000000李红13900000000
NEXT_PERSON = re.compile(r"(?<!\d)(\d{7,}) *(?=[\u4e00-\u9fff]{2,4} *\d)")
ENGLISH_POSITION = re.compile(
    r"\b(?:director|dean|professor|manager|officer|head|president|rector|chancellor|coordinator|secretary|chair\w*|assistant|lecturer|engineer|ceo|minister)\b",
    re.IGNORECASE,
)
CHINESE_NAME = re.compile(r"[\u4e00-\u9fff·]{2,5}")
LABELS = re.compile(
    r"(?:联系人|姓名|contact|name|邮箱|e-?mail|tel|电话|手机|phone|mobile|微信|wechat)[.]?[:：] ?", re.IGNORECASE
)


@dataclass(frozen=True)
class PersonInCell:
    """A person as one cell names them, with what else stands there."""

    name: str
    position: str = ""
    phone: str = ""
    email: str = ""


def split_people(text: str) -> list[PersonInCell]:
    """Return the persons in a cell, each with the number and address behind the name."""
    plain = NEXT_PERSON.sub(r"\1\n", unicodedata.normalize("NFKC", text))
    pieces = [piece for line in re.split(r"[\r\n;、|]+", plain) for piece in _apart(line) if piece.strip(" ,/")]
    people: list[PersonInCell] = []
    for piece in pieces:
        person = parse_person(piece)
        if person.name or not people:
            people.append(person)
        else:  # a number or an address in a line of its own
            last = people[-1]
            both = ", ".join(number for number in (last.phone, person.phone) if number)
            people[-1] = replace(last, phone=both, email=last.email or person.email)
    return people


def _apart(line: str) -> list[str]:
    """Split a line at commas and slashes if a person stands on both sides: the comma of "Zhang Wei, Director" is none."""
    for separator in (r"[,]", r" ?/ ?"):
        pieces = [piece.strip() for piece in re.split(separator, line) if piece.strip()]
        if len(pieces) > 1 and all(_is_person(piece, is_slash="/" in separator) for piece in pieces):
            return pieces
    return [line]


def _is_person(piece: str, *, is_slash: bool) -> bool:
    named = parse_person(piece)
    is_reachable = bool(named.name and (named.phone or named.email))
    is_chinese = CHINESE_NAME.fullmatch(named.name) is not None and not named.position and not _is_position(named.name)
    is_two_words = re.fullmatch(r"[A-Z][\w'-]+(?: [A-Z][\w.'-]*)+", named.name) is not None and not named.position
    return is_reachable or is_chinese or (is_two_words and is_slash)


def _is_position(words: str) -> bool:
    return CHINESE_POSITION.fullmatch(f"某某 {words}") is not None


def parse_person(text: str) -> PersonInCell:
    """Return the person that a line names: ``王小明（处长）13800000000``, ``Prof. John Smith <js@x.edu>``."""
    words = " ".join(text.split())
    emails = EMAIL.findall(words)
    words = EMAIL.sub(" ", words)
    phones = [number.strip() for number in PHONE.findall(words)]
    words = LABELS.sub(" ", PHONE.sub(" ", words))
    words = " ".join(re.sub(r"[<>\[\]]|[(（]\s*[)）]", " ", words).split()).strip(" ,，:：;/-–—")
    name, position = _name_and_position(words)
    return PersonInCell(name, position, " / ".join(phones), emails[0] if emails else "")


def _name_and_position(words: str) -> tuple[str, str]:
    words = HONORIFIC.sub("", words)
    if found := IN_BRACKETS.fullmatch(words):
        name, position = found["name"], f"{found['position']} {found['rest']}"
    elif found := CHINESE_POSITION.fullmatch(words):
        name, position = found["name"], found["position"]
    elif has_chinese(words):
        name, position = words, ""
    else:
        name, _comma, position = words.partition(",")
    name, position = name.strip(), " ".join(position.split()).strip(" ,")
    if (
        not has_chinese(name)
        and re.fullmatch(r"[^\W\d_]+", position)
        and " " not in name
        and not ENGLISH_POSITION.search(position)
    ):
        return f"{position} {name}", ""  # Smith, John
    title = ACADEMIC.match(name)
    return (name[title.end() :], position or title[0].strip()) if title else (name, position)
