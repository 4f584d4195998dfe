"""The public id of a model: readable, not guessable from its name, and a valid Kubernetes name."""

import re
import secrets
import string
import unicodedata

_ALPHABET = string.ascii_lowercase + string.digits
_SUFFIX_LENGTH = 5
# The operator appends `-<version>` and its own suffixes; the whole must stay a DNS label of 63.
_SLUG_LENGTH = 40


def new_model_id(name: str) -> str:
    """Give `<slug>-<5 random characters>`, at most 46 characters of [a-z0-9-], beginning with a letter."""
    suffix = "".join(secrets.choice(_ALPHABET) for _ in range(_SUFFIX_LENGTH))
    return f"{slugify(name)}-{suffix}"


def slugify(name: str) -> str:
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", ascii_name).strip("-")[:_SLUG_LENGTH].strip("-")
    # A Service's name must not begin with a digit.
    return slug if slug and slug[0].isalpha() else f"model-{slug}"[:_SLUG_LENGTH].strip("-")
