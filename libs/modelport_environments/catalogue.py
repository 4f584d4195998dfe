"""The environments that Modelport knows, by name.

`locks/NAME.txt` lists the packages of each, with hashes: `requirements/environments.py` makes them.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from modelport_environments.errors import UnknownEnvironment

_LOCKS = Path(__file__).with_name("locks")
_LOCKED = re.compile(r"^([a-z0-9][a-z0-9-]*)==", re.MULTILINE)

# What the runtime itself imports, and the formats that models are saved in.
_RUNTIME = (
    "httptools>=0.9",
    "msgspec>=0.22",
    "orjson>=3.13",
    "prometheus-client>=0.26",
    "uvicorn>=0.54",
    "uvloop>=0.23",
    "lz4>=4.4",
    "click",
    "h11",
)


@dataclass(frozen=True, slots=True)
class Environment:
    """`python`: its version, `3.11`. `frameworks`: whose models it serves. `requirements`: what is locked.

    `without`: what these would bring and no prediction imports.
    """

    name: str
    python: str
    frameworks: tuple[str, ...]
    requirements: tuple[str, ...]
    without: tuple[str, ...] = ()

    @property
    def lock(self) -> Path:
        """The file with its packages, in the form that pip and uv read."""
        return _LOCKS / f"{self.name}.txt"

    def distributions(self) -> frozenset[str]:
        """Return the names of its packages, as the lock spells them. Raises OSError."""
        return frozenset(_LOCKED.findall(self.lock.read_text(encoding="utf-8")))

    def digest(self) -> str:
        """Return 12 hexadecimal digits of the SHA-256 of its Python and its lock. Raises OSError."""
        return hashlib.sha256(f"{self.python}\n".encode() + self.lock.read_bytes()).hexdigest()[:12]


def _of_sklearn(version: str, *others: str) -> Environment:
    minor = version.rpartition(".")[0]
    requirements = (f"scikit-learn=={version}", *others, *_RUNTIME)
    return Environment(f"sklearn-{minor}", "3.11", ("sklearn",), requirements)


def _of_framework(
    framework: str, library: str, version: str, *others: str, without: tuple[str, ...] = ()
) -> Environment:
    """Return the environment of a framework that the platform has no library for."""
    minor = version.rpartition(".")[0]
    requirements = (f"{library}=={version}", *others, *_RUNTIME)
    return Environment(f"{framework}-{minor}", "3.11", (framework,), requirements, without)


def _of_xgboost(version: str) -> Environment:
    """The platform's scikit-learn around it: what is mended of older pipelines is mended for that."""
    others = ("scikit-learn==1.9.*", "numpy<2.5", "scipy<1.18", "pandas<3.2", "joblib<1.7", "skops<0.17")
    requirements = (f"xgboost-cpu=={version}", *others, *_RUNTIME)
    return Environment(f"xgboost-{version.rpartition('.')[0]}", "3.11", ("xgboost", "sklearn"), requirements)


_OF_GPUS = ("triton", "cuda-bindings", "nvidia-cusolver", "nvidia-nvtx", "nvidia-cuda-cccl")

_ALL = (
    # NumPy, SciPy, pandas and joblib of the version's time: the newest that it works with.
    _of_sklearn("1.1.3", "numpy<1.24", "scipy<1.10", "pandas<2", "joblib<1.3", "skops<0.12"),
    _of_sklearn("1.2.2", "numpy<1.25", "scipy<1.11", "pandas<2", "joblib<1.3", "skops<0.12"),
    _of_sklearn("1.3.2", "numpy<1.27", "scipy<1.12", "pandas<2.2", "joblib<1.4", "skops<0.17"),
    _of_sklearn("1.4.2", "numpy<1.27", "scipy<1.14", "pandas<2.3", "joblib<1.5", "skops<0.17"),
    _of_sklearn("1.5.2", "numpy<2.2", "scipy<1.15", "pandas<2.3", "joblib<1.5", "skops<0.17"),
    _of_sklearn("1.6.1", "numpy<2.3", "scipy<1.16", "pandas<2.3", "joblib<1.5", "skops<0.17"),
    _of_sklearn("1.7.2", "numpy<2.4", "scipy<1.17", "pandas<3", "joblib<1.6", "skops<0.17"),
    _of_sklearn("1.8.0", "numpy<2.5", "scipy<1.17", "pandas<3", "joblib<1.6", "skops<0.17"),
    # What the platform's XGBoost reads no more: `choice`.
    _of_xgboost("3.0.5"),
    _of_xgboost("3.1.3"),
    # Frameworks with environments of their own, each's newest last.
    _of_framework(
        "catboost", "catboost", "1.2.10", "joblib<1.6", without=("graphviz", "matplotlib", "plotly")
    ),
    # PyTorch of the package index is built for GPUs and linked against most of NVIDIA's libraries. What it
    # opens only where there is a GPU is left out.
    _of_framework("torch", "torch", "2.15.0", "numpy<2.5", "joblib<1.6", without=_OF_GPUS),
    # Of the Hub's client nothing is called: what downloads is left out.
    _of_framework(
        *("transformers", "transformers", "5.24.0", "torch==2.15.0", "tokenizers", "safetensors"),
        *("numpy<2.5", "joblib<1.6"),
        without=(*_OF_GPUS, "hf-xet"),
    ),
    _of_framework(
        *("tensorflow", "tensorflow-cpu", "2.21.0", "keras==3.15.*", "joblib<1.6"),
        without=("libclang", "setuptools", "wheel"),
    ),
    # Predictors of trees: PyTorch's and what trains are left out.
    _of_framework(
        *("autogluon", "autogluon-tabular", "1.6.3", "lightgbm", "xgboost", "catboost", "joblib<1.7"),
        without=("graphviz", "matplotlib", "plotly", "nvidia-nccl-cu12", "nvidia-nccl-cu13"),
    ),
    _of_framework("jax", "jax", "0.10.2", "jaxlib==0.10.2", "flatbuffers>=25", "numpy<2.5", "joblib<1.6"),
    _of_framework("river", "river", "0.26.1", "numpy<2.5", "joblib<1.6"),
    # pyarrow: results keep their training data, whose texts pandas 3 leaves to it wherever it is installed.
    _of_framework(
        *("statsmodels", "statsmodels", "0.14.6", "numpy<2.5", "pandas<3.2", "pyarrow>=22", "joblib<1.6"),
    ),
    _of_framework(
        *("statsmodels", "statsmodels", "0.15.0", "numpy<2.5", "pandas<3.2", "pyarrow>=22", "joblib<1.6"),
        *("formulaic<2",),
    ),
)
BESIDE_OWN = Environment("beside-own", "3.11", (), ("msgspec>=0.22", "orjson>=3.13", "lz4>=4.4"))
"""What the runtime brings along where a model has requirements of its own: whatever these pin, its own come
first, so the two never clash. Of the rest it takes the model's NumPy and joblib."""
OWN_CODE: Final = "python"
"""The framework of Python code that comes without a model file which another one reads."""
ENSEMBLE: Final = "ensemble"
"""The framework of versions that are joined to be one. It runs in what they run in."""
PLATFORM_FRAMEWORKS = frozenset({"sklearn", "xgboost", "lightgbm", "onnx", OWN_CODE, ENSEMBLE})
"""Those whose models the platform's own libraries serve. Models of any other always have an environment."""
PLATFORM = "platform"
"""What asks for the platform's own libraries where an environment would be chosen."""
ENVIRONMENTS: Mapping[str, Environment] = MappingProxyType({each.name: each for each in _ALL})


def find(name: str) -> Environment:
    """Return the environment of this name. Raises UnknownEnvironment, which names those there are."""
    found = ENVIRONMENTS.get(name)
    if found is None:
        raise UnknownEnvironment(f"{name!r} is not an environment: there are {', '.join(ENVIRONMENTS)}")
    return found
