"""The checks that a file passes between its upload and its load, by the code that does them there."""

import asyncio
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from modelport_control_api.errors import DomainError, InvalidFields
from modelport_control_api.models.code_uploads import AN_ENSEMBLE, framework_beside
from modelport_control_api.models.requirements.locking import OF_FOLDER, resolve
from modelport_control_api.registry.environments import needed_by
from modelport_control_api.sniff.detect import detect_framework
from modelport_control_api.sniff.errors import as_refusals
from modelport_control_api.sniff.folders.found import ModelFolder
from modelport_control_api.sniff.own_code import Code, read_code
from modelport_control_api.uploads.form import EmptyFile, larger_than
from modelport_crds.reasons import Reason
from modelport_environments.catalogue import find
from modelport_environments.locked import digest_of, own_name, read_lock
from modelport_environments.resolving import Resolver
from modelport_formats.ensembles.archive import check as check_ensemble
from modelport_formats.identify import Identified, identify
from modelport_formats.scan import Scan, scan
from modelport_formats.signatures import Format
from modelport_runtime.core import no_models
from modelport_runtime.core.compatibility.known import known_of
from modelport_runtime.core.compatibility.versions import other_scikit_learn
from modelport_runtime.core.types import LoadError
from modelport_runtime.inspection.formats import can_run_code, cannot_isolate, check_boosters
from modelport_runtime.inspection.libraries import check_modules, compare, library_of

from modelport_standalone import sandbox_check
from modelport_standalone.doctor import folders, forbidden, modules, reasons
from modelport_standalone.doctor.platform import Platform
from modelport_standalone.doctor.report import Contents, Environment, Report, Trouble
from modelport_standalone.environments.store import EnvironmentStore, default_folder

SANDBOXED = 2


def examine(
    path: Path, platform: Platform, code: Path | None = None, requirements: str | None = None
) -> Report:
    """Return what would become of the file, uploaded with the code. Blocking, for seconds. Raises OSError.

    `requirements`: the text of its own, as an upload has it.
    """
    size = path.stat().st_size
    troubles = list(_of_the_size(size, platform.max_upload_bytes))
    contents = None
    if size:
        try:
            with folders.as_uploaded(path, platform.max_upload_bytes) as uploaded:
                file, folder = uploaded.file, uploaded.folder
                beside = uploaded.code if code is None else read_code(code, code.name)
                framework = detect_framework(file) if beside is None else framework_beside(beside, file)
                own = _locked(_of(folder, requirements), framework)
                examined = _Examined(file, platform, framework, folder, code=beside, lock=own)
                contents = examined.contents()
                troubles += examined.troubles()
        except DomainError as error:
            troubles.append(_refusal(error))
        except InvalidFields as error:
            troubles.append(Trouble(None, f"{error.detail}"))
    return Report(path.name, platform.url, size, platform.max_upload_bytes, contents, tuple(troubles))


def _of_the_size(size: int, most: int) -> Iterator[Trouble]:
    if size == 0:
        yield _refusal(EmptyFile())
    if size > most:
        yield _refusal(larger_than(most))


def _of(folder: ModelFolder | None, requirements: str | None) -> str | None:
    """Return the text that is meant."""
    if requirements == OF_FOLDER and folder is not None and folder.requirements is not None:
        return folder.requirements
    return requirements


def _locked(text: str | None, framework: str) -> str | None:
    """Return the lock of its own requirements. Raises InvalidFields and DomainError, as an upload does."""
    return None if text is None else asyncio.run(resolve(text, framework, Resolver()))


def _refusal(error: DomainError) -> Trouble:
    return Trouble(error.reason, error.detail)


class _Examined:
    """A file of a known format."""

    def __init__(
        self,
        path: Path,
        platform: Platform,
        framework: str,
        folder: ModelFolder | None,
        *,
        code: Code | None,
        lock: str | None,
    ) -> None:
        self._lock = lock
        self._path = path
        self._code = code
        self._platform = platform
        self._framework = framework
        self._folder = folder
        self._identified: Identified = identify(path)
        found = scan(path)
        told = {} if folder is None else folder.versions
        self._scan: Scan = replace(found, versions={**told, **found.versions})
        self._environment = (
            needed_by(path, framework, choose_by_file=platform.chooses, told=told)
            if lock is None
            else own_name(digest_of(lock))
        )

    def contents(self) -> Contents:
        found, here = self._scan.versions, compare(self._scan.versions).here
        made_up = reasons.for_sample(self._identified.format, self._path, self._scan)
        return Contents(
            folder=folders.described(self._folder),
            format=self._format(),
            compression=self._identified.compression,
            framework=self._framework,
            saved_with=found,
            here=here if self._environment is None else {},
            classes=self._members() or reasons.models_in(self._scan),
            environment=self._where(),
            reading="sandbox" if self._runs_code() else "data",
            sample=folders.sample_of(self._folder) or made_up,
            differences=tuple(self._differences()),
        )

    def _members(self) -> tuple[str, ...]:
        """Of an ensemble: the versions in it. Raises DomainError."""
        if self._identified.format is not Format.ENSEMBLE:
            return ()
        with as_refusals():
            everyone = check_ensemble(self._path).everyone
        return tuple(f"{each.label} ({each.framework})" for each in everyone)

    def troubles(self) -> Iterator[Trouble]:
        """Yield what the platform would refuse, in its order: those of a load come one at a time there."""
        if self._identified.format is Format.ENSEMBLE:
            yield Trouble(Reason.UNSUPPORTED_FORMAT, AN_ENSEMBLE)
            return
        checks: tuple[Callable[[], None], ...] = (self._isolation, self._modules, self._versions, self._kind)
        for check in checks:
            try:
                check()
            except LoadError as error:
                yield Trouble(error.reason, error.message)
        yield from forbidden.violations(self._scan.references)
        if message := reasons.for_naming_one(self._environment, self._scan):
            yield Trouble(Reason.LIBRARY_MISMATCH, message)

    def _runs_code(self) -> bool:
        is_code = self._code is not None or self._identified.format is Format.OWN_CODE
        return is_code or can_run_code(self._path)

    def _format(self) -> str:
        by_joblib = any(module.startswith("joblib.numpy_pickle") for module, _ in self._scan.references)
        return "pickle by joblib" if by_joblib else str(self._identified.format)

    def _where(self) -> Environment:
        name = self._environment
        if self._lock is not None:
            packages = ", ".join(map(str, read_lock(self._lock)))
            return Environment(name, f"its own requirements, which are {packages}", here=self._own_is_here())
        why = reasons.for_environment(name, self._framework, self._scan)
        elsewhere = self._platform.url is not None
        return Environment(name, why, here=elsewhere or self._python() is not None)

    def _own_is_here(self) -> bool:
        store = EnvironmentStore(default_folder())
        return self._platform.url is not None or (
            self._lock is not None and store.packages_of(digest_of(self._lock)) is not None
        )

    def _python(self) -> Path | None:
        """Return what would read the file on this machine; None: its environment has yet to be made."""
        if self._environment is None:
            return Path(sys.executable)
        return EnvironmentStore(default_folder()).python_of(find(self._environment))

    def _differences(self) -> Iterator[str]:
        """In its own version's environment nothing is different."""
        if self._environment is None:
            names = {self._identified.format, *(name for _, name in self._scan.references)}
            for each in known_of(self._scan.versions, names):
                yield f"{each.what} ({each.saved_with}): {each.here}"

    def _isolation(self) -> None:
        if self._platform.url is None and self._runs_code():
            with tempfile.TemporaryDirectory() as folder:
                level, detail = asyncio.run(sandbox_check.check(Path(folder)))
            if level != SANDBOXED:
                raise cannot_isolate(detail)

    def _modules(self) -> None:
        references = dict(iter(self._scan.references))
        is_here = self._is_here()
        if self._code is None:
            check_modules(references, is_here)
            return
        own = self._code.modules() | ({"__main__"} if self._code.entry else set())
        check_modules({name: one for name, one in references.items() if library_of(name) not in own}, is_here)

    def _is_here(self) -> modules.IsHere:
        if self._lock is not None:
            return modules.among_own(each.name for each in read_lock(self._lock))
        python = self._python() if self._platform.url is None else None
        if python is not None:
            return modules.in_python(python, {module for module, _ in self._scan.references})
        return modules.in_lock(find(self._environment)) if self._environment else modules.in_release()

    def _versions(self) -> None:
        """An environment is chosen by the version, and by what only that serves."""
        if self._environment is not None:
            return
        check_boosters(self._path, self._scan.versions)
        if saved := other_scikit_learn(self._scan.versions):
            saved.require_known()

    def _kind(self) -> None:
        """A class Model reads data, too."""
        identified = self._identified
        if self._code is not None and self._code.defines_model:
            return
        if identified.container:
            raise no_models.without_methods(identified.container)
        module, _, name = (identified.first_class or "").rpartition(".")
        if (module, name) in _ARRAYS:
            raise no_models.data("numpy.ndarray")
        if module.partition(".")[0] in no_models.OF_DATA:
            raise no_models.data(f"{module}.{name}")
        if module == "collections":
            raise no_models.without_methods(f"{module}.{name}")


_ARRAYS = {
    ("joblib.numpy_pickle", "NumpyArrayWrapper"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy.core.multiarray", "_reconstruct"),
}
"""What a pickle names first where it holds an array alone."""
