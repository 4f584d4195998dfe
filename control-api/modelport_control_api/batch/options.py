"""How a job is to be done, from the query or the fields of a form."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from modelport_http.wording import counted

from modelport_control_api.batch.errors import UnknownFormat
from modelport_control_api.batch.formats.layout import InputSignature
from modelport_control_api.batch.preparation import INPUT_FORMATS
from modelport_control_api.errors import InvalidFields
from modelport_control_api.network.urls import url_problem

OUTPUT_FORMATS = ("jsonl", "csv", "parquet")
NAMES = ("format", "output", "key_columns", "probabilities", "return", "webhook_url")
RETURNED = ("prediction", "probabilities", "contributions")
MAX_CONTRIBUTIONS = 1000
"""Numbers of one row: so many columns may a result have beside the others."""
MAX_TEXT_BYTES = 4096
_CONTENT_TYPES = {
    "application/json": "json",
    "application/x-ndjson": "jsonl",
    "application/jsonl": "jsonl",
    "application/jsonlines": "jsonl",
    "text/csv": "csv",
    "application/vnd.apache.parquet": "parquet",
}
_SUFFIXES = {".json": "json", ".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".parquet": "parquet"}


@dataclass(frozen=True, slots=True)
class Options:
    """`key_columns` None: all columns that the model does not take."""

    input_format: str
    output_format: str
    key_columns: list[str] | None
    probabilities: bool
    webhook_url: str | None
    contributions: bool = False

    def as_json(self) -> dict[str, Any]:
        # Without them as before there were any: a request that is repeated after an upgrade is the same.
        return {name: value for name, value in asdict(self).items() if name != "contributions" or value}


def read_options(texts: Mapping[str, str], content_type: str, file_name: str) -> Options:
    """Raises `InvalidFields` that names each one that is wrong; `UnknownFormat` where none is given."""
    errors: dict[str, str] = {}
    given = {name: text.strip() for name, text in texts.items() if text.strip()}
    output = given.get("output")
    if output is not None and output not in OUTPUT_FORMATS:
        errors["output"] = f"must be one of {', '.join(OUTPUT_FORMATS)}"
    if given.get("format", "csv") not in INPUT_FORMATS:
        errors["format"] = f"must be one of {', '.join(INPUT_FORMATS)}"
    if given.get("probabilities", "true").lower() not in ("true", "false", "1", "0"):
        errors["probabilities"] = "must be true or false"
    wanted = _listed(given.get("return")) or []
    if others := [name for name in wanted if name not in RETURNED]:
        errors["return"] = f"may list {', '.join(RETURNED)}, and not {', '.join(others)[:100]}"
    if problem := url_problem(given.get("webhook_url")):
        errors["webhook_url"] = problem
    if errors:
        raise InvalidFields(*errors.items())
    input_format = given.get("format") or _format_of(content_type, file_name)
    return Options(
        input_format=input_format,
        output_format=output or ("jsonl" if input_format == "json" else input_format),
        key_columns=_listed(given.get("key_columns")),
        probabilities="probabilities" in wanted
        or given.get("probabilities", "false").lower() in ("true", "1"),
        webhook_url=given.get("webhook_url"),
        contributions="contributions" in wanted,
    )


def check_outputs(options: Options, signature: Mapping[str, Any] | None) -> None:
    """Raises `InvalidFields` for what the model does not have."""
    described = InputSignature.read(signature)
    if options.probabilities and "probabilities" not in described.outputs:
        raise InvalidFields(("probabilities", "cannot be given: this model has none"))
    if options.contributions and (problem := contributions_problem(described)):
        raise InvalidFields(("return", problem))


def contributions_problem(described: InputSignature) -> str | None:
    """Why they cannot be computed of many rows, to be read after what wants them; None: they can."""
    if "contributions" not in described.outputs:
        return "cannot have contributions: this version has none (its log says why)"
    # Two classes share one sum.
    sums = described.classes if described.classes > 2 else 1
    width = sums * (len(described.names) + 1)
    if width <= MAX_CONTRIBUTIONS:
        return None
    return (
        f"cannot have contributions: {counted(len(described.names), 'column')} and the base, of "
        f"{counted(sums, 'class')}, are {width:,} numbers a row, and a job's results have at most "
        f"{MAX_CONTRIBUTIONS:,}. Ask for those of single rows with POST /api/v1/predict/…"
    )


def is_multipart(content_type: str) -> bool:
    """Whether it is a form. Parameters (`; boundary=…`) and case do not matter."""
    return _bare(content_type) == "multipart/form-data"


def is_json(content_type: str) -> bool:
    """Whether it is `application/json`, with any parameters and in any case. JSON Lines is not."""
    return _bare(content_type) == "application/json"


def format_of_name(file_name: str) -> str | None:
    """Return the input format that the file's ending stands for; None: an unknown ending."""
    return _SUFFIXES.get(file_name[file_name.rfind(".") :].lower()) if "." in file_name else None


def require_known(content_type: str) -> None:
    """Raises `UnknownFormat`, before a byte of the body is read."""
    if _bare(content_type) not in _CONTENT_TYPES and not is_multipart(content_type):
        raise UnknownFormat(_WAYS)


def _format_of(content_type: str, file_name: str) -> str:
    found = _CONTENT_TYPES.get(_bare(content_type)) or format_of_name(file_name)
    if found is None:
        raise UnknownFormat(f"What the file holds cannot be determined from its name or type. {_WAYS}")
    return found


_WAYS = (
    "Send application/json, application/x-ndjson, text/csv or application/vnd.apache.parquet as the body, "
    "or a form with the field file, whose name ends so or whose field format says what it is; or input_uri."
)


def _bare(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def _listed(text: str | None) -> list[str] | None:
    if text is None:
        return None
    # Twice is as good as once.
    return list(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
