"""AutoGluon's folders of predictors for tables."""

import re

from modelport_formats.frameworks.folder_files import MARKS
from modelport_formats.signatures import Format

from modelport_control_api.sniff.errors import CorruptArtifact, UnsupportedFormat
from modelport_control_api.sniff.folders.contents import Contents, is_own_code
from modelport_control_api.sniff.folders.found import ModelFolder

PREDICTOR, VERSION = "predictor.pkl", "version.txt"
_NEEDED = ("learner.pkl", "models/trainer.pkl")
_SERVED = "1.6"
# Training data, and nothing that predicts; of what was packed before, its mark.
_LEFT_OUT = ("utils/", "logs/", MARKS[Format.AUTOGLUON])
# What is made of more than trees, by how AutoGluon begins the names of its models.
_NETWORKS = re.compile(
    r"models/((?:NeuralNet|FastAI|TabPFN|TabM|TabICL|RealMLP|Mitra|FTTransformer|TextPredictor|ImagePredictor"
    r"|VowpalWabbit|MultiModal|AutoMM)[^/]{0,60})/"
)
_CURE = (
    "Or upload it with requirements of your own, beside a model.py:\n"
    "class Model:\n"
    '    def load(self, folder): self.model = TabularPredictor.load(str(folder / "predictor"))\n'
    "    def predict(self, rows): return self.model.predict(pandas.DataFrame(rows)).tolist()"
)


def find(contents: Contents) -> ModelFolder | None:
    """Return what is served; None: it is no such folder. Raises UnsupportedFormat or CorruptArtifact."""
    if is_own_code(contents):
        return None
    tops = [name.removesuffix(PREDICTOR) for name in contents.names if name.rpartition("/")[2] == PREDICTOR]
    roots = [root for root in tops if f"{root}{VERSION}" in contents.names and root.count("/") <= 1]
    if len(roots) != 1:
        return None
    root = roots[0]
    for name in _NEEDED:
        if f"{root}{name}" not in contents.names:
            raise CorruptArtifact(
                f"The AutoGluon folder holds no {name}. Pack the folder again, with all files."
            )
    _require_release((contents.text_of(f"{root}{VERSION}") or "").strip())
    own = [name for name in contents.names if name.startswith(root)]
    _refuse_networks([name.removeprefix(root) for name in own])
    inside = {name: name.removeprefix(root) for name in own}
    return ModelFolder(
        kind="AutoGluon's, a predictor of tables",
        model=root or "./",
        packed={name: short for name, short in inside.items() if not short.startswith(_LEFT_OUT)},
        packed_as=Format.AUTOGLUON,
    )


def _require_release(version: str) -> None:
    if not version.startswith(f"{_SERVED}."):
        raise UnsupportedFormat(
            f"The AutoGluon folder was saved by {version[:20] or 'an unknown release'}; {_SERVED} is here. "
            f"AutoGluon reads no other's. Train it again with autogluon.tabular=={_SERVED}.*. {_CURE}"
        )


def _refuse_networks(names: list[str]) -> None:
    found = sorted({match[1] for name in names if (match := _NETWORKS.match(name))})
    if found:
        raise UnsupportedFormat(
            f"The AutoGluon folder holds {', '.join(found[:5])}, and only trees are served. Train it "
            'with excluded_model_types=["NN_TORCH", "FASTAI"], or keep what the best of trees needs: '
            'predictor.clone_for_deployment("folder", model="LightGBM"). ' + _CURE
        )
