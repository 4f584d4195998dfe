"""One person, one spelling: e-mail addresses are compared without regard to case or Unicode form."""

from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email

# An intranet's addresses (admin@localhost, x@corp.local) are as good as any: nothing is ever sent to them.
# The library has no argument for it; its documentation says to edit this list.
for _name in ("local", "localhost", "test"):
    if _name in SPECIAL_USE_DOMAIN_NAMES:
        SPECIAL_USE_DOMAIN_NAMES.remove(_name)


class EmailInvalid(Exception):
    """Not an address; the text says why."""


def normalise_or_keep(email: str) -> str:
    """What no account can have stays as it is, and is then found nowhere."""
    try:
        return normalise(email)
    except EmailInvalid:
        return email.lower().replace("\0", "")


def normalise(email: str) -> str:
    """Lower case and Unicode form NFC. No DNS is asked. Raises `EmailInvalid`."""
    try:
        checked = validate_email(email, check_deliverability=False, globally_deliverable=False)
    except EmailNotValidError as error:
        raise EmailInvalid(str(error)) from error
    return checked.normalized.lower()
