"""What an environment is made of, as a bill of materials in CycloneDX's JSON."""

from typing import Any
from urllib.parse import quote

from modelport_environments.locked import Locked

MEDIA_TYPE = "application/vnd.cyclonedx+json; version=1.6"

_OF_HASHES = (
    "Of each component: one for each wheel that the index has of this version, for every platform and "
    "Python. One of these wheels is installed, and none that has another hash."
)


def build_sbom(name: str, packages: tuple[Locked, ...]) -> dict[str, Any]:
    """Return the document. `name`: what they are installed for.

    It has neither date nor number: of the same lock it is the same.
    """
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {"type": "application", "name": name, "bom-ref": name},
            "properties": [{"name": "modelport:hashes", "value": _OF_HASHES}],
        },
        "components": [_component(each) for each in packages],
    }


def _component(package: Locked) -> dict[str, Any]:
    purl = f"pkg:pypi/{package.name}@{quote(package.version)}"
    return {
        "type": "library",
        "bom-ref": purl,
        "name": package.name,
        "version": package.version,
        "purl": purl,
        "hashes": [{"alg": "SHA-256", "content": digest} for digest in package.hashes],
    }
