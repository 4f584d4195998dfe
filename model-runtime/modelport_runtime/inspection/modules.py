"""Does this runtime have the modules that a file names?"""

from importlib.util import find_spec

from modelport_runtime.failures import defined_in_main, missing_module


def check_modules(references: dict[str, str]) -> None:
    """Raise `LoadError` (MissingModule) for the first module that is not here. `module` → one name of it."""
    for module, name in references.items():
        if module == "__main__":
            raise defined_in_main(name)
        if find_spec(module.partition(".")[0]) is None:
            raise missing_module(module)
