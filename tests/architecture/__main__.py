"""`make shape`: prints the figures of the code's structure."""

from statistics import median, quantiles

from tests.architecture.layers import circle, layers
from tests.architecture.modules import by_room, imports, product_modules
from tests.architecture.sizes import files_of_folders, lines_of_files, lines_of_functions


def main() -> None:
    _print_circles()
    for package in sorted({name.split(".")[0] for name in product_modules()}):
        _print_package(package)
    _print_sizes()


def _print_circles() -> None:
    found = circle(imports())
    print("circle of files:", " → ".join(found) if found else "none")


def _print_package(package: str) -> None:
    rooms = by_room(imports(), package)
    arrows = sum(map(len, rooms.values()))
    found = circle(rooms)
    print(f"\n{package}: {len(rooms)} rooms, {arrows} arrows")
    if found:
        print("  circle of rooms:", " → ".join(found))
        return
    for floor, names in enumerate(layers(rooms)):
        print(f"  {floor + 1:2}  {' '.join(names)}")


def _print_sizes() -> None:
    files, functions = lines_of_files(), lines_of_functions()
    largest = next(iter(files_of_folders().items()))
    print(f"\nfiles: {len(files)}, median {median(files):.0f} lines")
    print(f"functions: {len(functions)}, median {median(functions):.0f} lines, p90 {_p90(functions):.0f}")
    print(f"largest folder: {largest[0]}, {largest[1]} files")


def _p90(values: list[int]) -> float:
    return quantiles(values, n=10)[-1]


if __name__ == "__main__":
    main()
