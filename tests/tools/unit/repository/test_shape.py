"""The figures of `make shape` that are kept: imports go one way, and folders and functions stay small."""

from statistics import median

import pytest

from tests.architecture.layers import circle, layers
from tests.architecture.modules import by_room, imports, product_modules
from tests.architecture.sizes import files_of_folders, lines_of_functions

PACKAGES = sorted({name.split(".")[0] for name in product_modules()})


def test_no_files_import_each_other_in_a_circle() -> None:
    assert circle(imports()) == []


@pytest.mark.parametrize("package", PACKAGES)
def test_no_rooms_import_each_other_in_a_circle(package: str) -> None:
    assert circle(by_room(imports(), package)) == []


def test_few_floors_and_rooms() -> None:
    assert len(layers(by_room(imports(), "modelport_control_api"))) <= 12
    assert len(by_room(imports(), "modelport_gateway")) <= 16


def test_no_folder_has_more_than_fifteen_files() -> None:
    assert {folder: files for folder, files in files_of_folders().items() if files > 15} == {}


def test_functions_are_small() -> None:
    assert median(lines_of_functions()) <= 6
