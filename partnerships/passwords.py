"""Passwords that contain the name of their owner are refused."""

import re
from collections.abc import Iterator

from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from partnerships.names import fold, pinyin_readings

# From this many letters or digits on, a part counts wherever it stands; a shorter one, such as Li, as a word of its own.
LONG_PART = 4
SHORT_PART = 2
CHINESE = re.compile("[\u3400-\u9fff]+")
NO_LETTER = re.compile(r"[\W_]+")


class OwnNameValidator:
    """Refuses a password with a part of the person's name, also in Pinyin, user name or e-mail address."""

    def validate(self, password: str, user: AbstractBaseUser | None = None) -> None:
        plain = fold(password)
        whole, words = NO_LETTER.sub("", plain), set(re.split(r"[\W\d_]+", plain))
        for part in set(_parts_of_name(user)) if user else ():
            if (_is_long(part) and part in whole) or part in words:
                raise ValidationError(
                    _("The password must not contain your name, your user name or a part of your e-mail address."),
                    code="password_contains_name",
                )

    def get_help_text(self) -> str:
        return _(
            "Your password must not contain your name, also in Pinyin, your user name or a part of your e-mail address."
        )


def _is_long(part: str) -> bool:
    return len(part) >= LONG_PART or CHINESE.fullmatch(part) is not None


def _parts_of_name(user: AbstractBaseUser) -> Iterator[str]:
    local_part = str(getattr(user, "email", "") or "").rpartition("@")[0]
    for name in (user.get_username(), str(getattr(user, "name", "") or ""), local_part):
        plain = fold(name)
        words = [word for word in NO_LETTER.split(plain) if word]
        spellings = {"".join(words), "".join(reversed(words)), *words, *re.split(r"[\W\d_]+", plain)}
        yield from (one for one in spellings if len(one) >= SHORT_PART and (not one.isdigit() or len(one) >= LONG_PART))
        for signs in CHINESE.findall(plain):
            yield from (signs[at : at + 2] for at in range(len(signs) - 1))
            yield from _in_pinyin(signs)


def _in_pinyin(signs: str) -> Iterator[str]:
    """Return the syllables, and the whole and given name, which follows a family name of one sign or two."""
    readings = pinyin_readings(signs)
    yield from (syllable for syllables in readings for syllable in syllables if len(syllable) >= SHORT_PART)
    first = [syllables[0] for syllables in readings]
    for names in (first, first[1:], first[2:]):
        if len(names) > 1:
            yield "".join(names)
    yield "".join([*first[1:], *first[:1]])
