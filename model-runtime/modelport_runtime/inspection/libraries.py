"""Are the libraries that saved the file the ones that are here?"""

from importlib import metadata

from modelport_runtime.inspection.inspected import Inspected

# The name in a file's metadata → the distributions that may provide it here.
_DISTRIBUTIONS = {"scikit-learn": ("scikit-learn",), "xgboost": ("xgboost", "xgboost-cpu")}


def compare(found: dict[str, str]) -> Inspected:
    """Set the versions found beside those here, with a sentence for each that differs."""
    here = {name: version for name in found if (version := _version_here(name))}
    differences = tuple(
        f"The model was saved with {name} {found[name]}; {name} {here[name]} is here."
        for name in here
        if here[name] != found[name]
    )
    return Inspected(found, here, differences)


def _version_here(name: str) -> str | None:
    for distribution in _DISTRIBUTIONS.get(name, ()):
        try:
            return metadata.version(distribution)
        except metadata.PackageNotFoundError:
            continue
    return None
