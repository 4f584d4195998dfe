"""Folders of a single model file, as KServe, Seldon and SageMaker read them."""

import posixpath

from modelport_http.wording import counted

from modelport_control_api.sniff.errors import UnsupportedFormat
from modelport_control_api.sniff.folders.contents import Contents, is_own_code, shown
from modelport_control_api.sniff.folders.found import ModelFolder
from modelport_control_api.sniff.folders.mlflow import REQUIREMENTS

_ENDINGS = (
    *(".joblib", ".pkl", ".pickle", ".skops", ".onnx", ".ubj", ".bst", ".cbm"),
    *(".pt2", ".pt", ".pth", ".keras", ".h5", ".hdf5", ".jaxexport"),
)
# Of other names these endings are of anything.
_NAMES = ("model.json", "model.txt", "model.bin", "xgboost-model")
_CODE = ".py"
_SAVED_MODEL = "saved_model.pb"


def find(contents: Contents) -> ModelFolder | None:
    """Return what is served; None: it holds no model. Raises UnsupportedFormat for several, or for code."""
    last_names = {posixpath.basename(name) for name in contents.names}
    if is_own_code(contents) or _SAVED_MODEL in last_names:
        return None
    models = [name for name in contents.names if _is_model(name)]
    if not models:
        return None
    if len(models) > 1:
        raise UnsupportedFormat(
            f"The archive holds {counted(len(models), 'model file')} "
            f"({', '.join(map(shown, sorted(models)[:5]))}), and nothing says how they are joined. Save them "
            "as one model (a Pipeline), or write the join as class Model in a model.py beside them."
        )
    _refuse_code(contents, models[0])
    folder = posixpath.dirname(models[0])
    return ModelFolder(
        kind="a folder of one model file",
        model=models[0],
        requirements=contents.text_of(posixpath.join(folder, REQUIREMENTS)) or contents.text_of(REQUIREMENTS),
    )


def _is_model(name: str) -> bool:
    last = posixpath.basename(name)
    return last.endswith(_ENDINGS) or last in _NAMES


def _refuse_code(contents: Contents, model: str) -> None:
    code = [name for name in contents.names if name.endswith(_CODE)]
    if code:
        raise UnsupportedFormat(
            f"The archive holds {shown(model)} and Python code ({', '.join(map(shown, sorted(code)[:5]))}), "
            "and nothing says what that does. Upload the model file alone, with code around it as its part "
            "`code` (--code); or write class Model in a model.py beside it."
        )
