"""Does this runtime have the modules that a file names?"""

from modelport_runtime.core.types import LoadError
from modelport_runtime.inspection.moved import is_here

_OF_TABLES = (
    " pandas keeps texts in it, and the model keeps some: fit it on NumPy arrays, or on columns, and with "
    "names of them, of dtype object (`astype(object)`), and save it again."
)


def check_modules(references: dict[str, str]) -> None:
    """Raise `LoadError` (MissingModule) for the first module that is not here, the model's own before those
    of what it keeps. `module` → one name of it."""
    missing = []
    for module, name in references.items():
        if module == "__main__":
            raise defined_in_main(name)
        if not is_here(module):
            missing.append(module)
    if missing:
        raise missing_module(min(missing, key=_is_of_tables))


def missing_module(name: str) -> LoadError:
    return LoadError(
        "MissingModule",
        f"The model needs the Python module {name!r}, which this runtime does not have."
        f"{_OF_TABLES if _is_of_tables(name) else ''}",
    )


def _is_of_tables(module: str) -> bool:
    return module.partition(".")[0] == "pyarrow"


def defined_in_main(name: str) -> LoadError:
    return LoadError(
        "MissingModule",
        f"The model needs {name!r}, which was defined in a notebook or script (module __main__) and is not "
        "in the file.",
    )
