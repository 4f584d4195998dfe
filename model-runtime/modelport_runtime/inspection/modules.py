"""Does this runtime have the modules that a file names?"""

from modelport_runtime.core.types import LoadError
from modelport_runtime.inspection.moved import is_here


def check_modules(references: dict[str, str]) -> None:
    """Raise `LoadError` (MissingModule) for the first module that is not here. `module` → one name of it."""
    for module, name in references.items():
        if module == "__main__":
            raise defined_in_main(name)
        if not is_here(module):
            raise missing_module(module)


def missing_module(name: str) -> LoadError:
    return LoadError(
        "MissingModule",
        f"The model needs the Python module {name!r}, which this runtime does not have.",
    )


def defined_in_main(name: str) -> LoadError:
    return LoadError(
        "MissingModule",
        f"The model needs {name!r}, which was defined in a notebook or script (module __main__) and is not "
        "in the file.",
    )
