"""Sources: a citation is placed at a sentence of its own source."""

import pytest
from django.core.exceptions import ValidationError
from django.utils.translation import override

from partnerships.factories import CitationFactory, SourceFactory, StatementFactory

pytestmark = pytest.mark.django_db


def test_a_citation_takes_no_sentence_of_another_source() -> None:
    source = SourceFactory()
    own, foreign = StatementFactory(source=source), StatementFactory()
    CitationFactory(source=source, statement=own).full_clean()
    with pytest.raises(ValidationError) as refusal:
        CitationFactory(source=source, statement=foreign).full_clean()
    assert list(refusal.value.message_dict) == ["statement"]


def test_a_sentence_speaks_the_readers_language_as_far_as_it_can() -> None:
    both, english = StatementFactory(text_zh="双方签约。"), StatementFactory()
    with override("zh-hans"):
        assert (both.display_text, english.display_text) == ("双方签约。", "They met and signed.")
    assert both.display_text == "They met and signed."
