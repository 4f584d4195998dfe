"""Does this runtime have the modules that a file names?"""

from modelport_runtime.inspection.moved import is_here
from modelport_runtime.worker.failures import defined_in_main, missing_module


def check_modules(references: dict[str, str]) -> None:
    """Raise `LoadError` (MissingModule) for the first module that is not here. `module` → one name of it."""
    for module, name in references.items():
        if module == "__main__":
            raise defined_in_main(name)
        if not is_here(module):
            raise missing_module(module)
