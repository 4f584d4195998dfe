"""What an environment is made of, as a bill of materials in CycloneDX's JSON."""

from typing import Any
from urllib.parse import quote

from modelport_environments.locked import Locked

MEDIA_TYPE = "application/vnd.cyclonedx+json; version=1.6"


def build_sbom(name: str, packages: tuple[Locked, ...]) -> dict[str, Any]:
    """Return the document. `name`: what they are installed for.

    It has neither date nor number: of the same lock it is the same. The hashes are those of all wheels of a
    version, of which one is installed.
    """
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {"type": "application", "name": name, "bom-ref": name}},
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
