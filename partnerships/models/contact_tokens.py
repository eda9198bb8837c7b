"""The secret part of the address at which a partner's contact stops our mails, without a log-in."""

from django.core.signing import BadSignature, Signer

from partnerships.models.organizations import Contact

SEPARATOR = "."


def mail_token(contact: Contact) -> str:
    """Return a token for this contact at its present e-mail address; it does not show the address."""
    return _signer(contact).sign(str(contact.pk))


def contact_of(token: str) -> Contact | None:
    """Return the contact of a token; None for a forged one, and for one that was made for an earlier address."""
    number = token.partition(SEPARATOR)[0]
    # Numbers of more digits than a key has would be an error of the database.
    contact = (
        Contact.objects.filter(pk=number).first()
        if number.isascii() and number.isdigit() and len(number) < 19
        else None
    )
    try:
        return contact if contact and _signer(contact).unsign(token) == number else None
    except BadSignature:
        return None


def _signer(contact: Contact) -> Signer:
    # The address is part of the signature, so a link in a mail to an old address ends with that address.
    return Signer(sep=SEPARATOR, salt=f"contact mail to {contact.email.casefold()}")
