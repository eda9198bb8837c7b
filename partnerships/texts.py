"""The type of text on screen."""

from typing import TYPE_CHECKING

from django.utils.functional import Promise

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

    # Plain text, or text that is translated into the reader's language when it is shown.
    LazyText = str | _StrPromise
else:
    LazyText = str | Promise
