"""Documents with small real files."""

import hashlib

import factory
from django.core.files.base import ContentFile

from partnerships.factories.agreements import AgreementFactory
from partnerships.factories.base import NOON, ModelFactory
from partnerships.models import Document, DocumentVersion
from partnerships.models.documents import DOCUMENT_TARGETS


class DocumentFactory(ModelFactory):
    """A document of a signed agreement, or of another target that is given (``programme``, ``facility``, ...)."""

    class Meta:
        model = Document

    activity = None
    event = None
    milestone = None
    organization = None
    facility = None
    demand = None
    programme = None
    honour = None
    agreement = factory.Maybe(
        factory.LazyAttribute(lambda row: any(getattr(row, name) for name in DOCUMENT_TARGETS if name != "agreement")),
        yes_declaration=None,
        no_declaration=factory.SubFactory(AgreementFactory, signed=True),
    )
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
