"""Documents with small real files."""

import hashlib

import factory
from django.core.files.base import ContentFile

from partnerships.factories.agreements import AgreementFactory
from partnerships.factories.base import NOON, ModelFactory
from partnerships.models import Document, DocumentVersion


class DocumentFactory(ModelFactory):
    """Of a signed agreement; for another target give it and ``agreement=None``."""

    class Meta:
        model = Document

    agreement = factory.SubFactory(AgreementFactory, signed=True)
    title = factory.Sequence("Document {}".format)


class DocumentVersionFactory(ModelFactory):
    """``content=b"..."`` is what the file holds; size and checksum follow."""

    class Meta:
        model = DocumentVersion

    class Params:
        content = b"Minutes of the meeting\n"

    document = factory.SubFactory(DocumentFactory)
    number = factory.LazyAttribute(lambda version: version.document.versions.count() + 1)
    file = factory.LazyAttribute(lambda version: ContentFile(version.content, name=version.original_name))
    original_name = "minutes.txt"
    content_type = "text/plain"
    size = factory.LazyAttribute(lambda version: len(version.content))
    sha256 = factory.LazyAttribute(lambda version: hashlib.sha256(version.content).hexdigest())
    uploaded_at = NOON
