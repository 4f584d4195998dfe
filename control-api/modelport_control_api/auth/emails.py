"""One person, one spelling: e-mail addresses are compared without regard to case or Unicode form."""

from email_validator import EmailNotValidError, validate_email


class EmailInvalid(Exception):
    """Not an address; the text says why."""


def normalise(email: str) -> str:
    """Lower case and Unicode form NFC. No DNS is asked. Raises `EmailInvalid`."""
    try:
        # Addresses of our own tests and of intranets end in .test and .local; nothing is ever sent to them.
        checked = validate_email(email, check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise EmailInvalid(str(error)) from error
    return checked.normalized.lower()
