"""Where an installer compiled nothing, the first start does, while files may still be written."""

import sys
from pathlib import Path

import pytest
from modelport_runtime.core.backends import registry


def test_only_what_has_no_bytecode_is_imported_before_the_sandbox(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "package_fresh_from_its_wheel"
    package.mkdir()
    (package / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(registry, "_IMPORTS_EVERY_ESTIMATOR", package.name)

    registry.cache_estimators()

    assert sys.modules.pop(package.name), "the first start compiles it"
    assert list(package.rglob("*.pyc"))

    registry.cache_estimators()

    assert package.name not in sys.modules
