"""What is known to differ between the versions of libraries: the tables of docs/other-versions.md.

`make docs` writes them there; `modelport doctor` tells of a file what its classes and versions match. What is
done about it is in the other modules of this folder.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from modelport_runtime.core.compatibility.versions import installed, release_of

_ANY = "any"
_AS_NEEDED = "as they need it"
_SPAN = re.compile(r"(\d+\.\d+)(?:–(\d+\.\d+))?")


@dataclass(frozen=True, kw_only=True)
class Difference:
    """`saved_with`: releases, such as `1.1, 1.2` or `1.1–1.3`. `here`: what is done about it.

    `classes`: what a file that it may concern names, or its format; none where it is found out otherwise.
    """

    what: str
    saved_with: str
    here: str
    classes: frozenset[str]
    library: str = "scikit-learn"

    def concerns(self, versions: Mapping[str, str], names: Collection[str]) -> bool:
        """Whether a file of these versions, which names these classes, may hold it."""
        release = release_of(versions.get(self.library, ""))
        return release is not None and not self.classes.isdisjoint(names) and self._is_of(release)

    def _is_of(self, release: tuple[int, int]) -> bool:
        if self.saved_with == _AS_NEEDED:
            return release != release_of(installed(self.library) or "")
        spans = _SPAN.findall(self.saved_with)
        return self.saved_with == _ANY or any(_is_within(release, *span) for span in spans)


def known_of(versions: Mapping[str, str], names: Collection[str]) -> Iterator[Difference]:
    """Yield what may be different in a file of these versions that names these classes."""
    return (each for each in (*OF_SCIKIT_LEARN, *OF_BOOSTERS) if each.concerns(versions, names))


def _is_within(release: tuple[int, int], first: str, last: str) -> bool:
    return _numbers(first) <= release <= _numbers(last or first)


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(".")))


def _of(what: str, saved_with: str, here: str, *classes: str) -> Difference:
    return Difference(what=what, saved_with=saved_with, here=here, classes=frozenset(classes))


def _of_booster(what: str, saved_with: str, here: str, *formats: str) -> Difference:
    return Difference(
        what=what, saved_with=saved_with, here=here, classes=frozenset(formats), library="xgboost"
    )


# What a fitted one holds, whatever is around it.
_TREES = ("DecisionTreeClassifier", "ExtraTreeClassifier")
_ANY_TREE = (*_TREES, "DecisionTreeRegressor", "ExtraTreeRegressor")
_BOOSTING = ("GradientBoostingClassifier", "GradientBoostingRegressor")
_HISTOGRAMS = ("HistGradientBoostingClassifier", "HistGradientBoostingRegressor")
_DESCENDING = ("SGDClassifier", "SGDRegressor", "SGDOneClassSVM")
_GENERALIZED = ("PoissonRegressor", "GammaRegressor", "TweedieRegressor")
_SEARCHES = ("GridSearchCV", "RandomizedSearchCV", "HalvingGridSearchCV", "HalvingRandomSearchCV")

OF_SCIKIT_LEARN = (
    _of(
        "decision trees, and forests, bagging, searches … of them",
        "1.1–1.3",
        "mended: leaves hold counts, they become fractions",
        *_TREES,
    ),
    _of("trees' node format", "1.1, 1.2", "mended", *_ANY_TREE),
    _of(
        "trees and forests that refused missing values",
        "1.1–1.8",
        "mended: they refuse them still",
        *_ANY_TREE,
    ),
    _of("TfidfTransformer, TfidfVectorizer", "1.1–1.4", "mended: the weights", "TfidfTransformer"),
    _of(
        "AdaBoostClassifier: SAMME.R; SAMME",
        "1.1–1.5; 1.1, 1.2",
        "mended: the scores of then",
        "AdaBoostClassifier",
    ),
    _of(
        "PLSRegression, PLSCanonical, CCA",
        "1.1–1.4",
        "mended: the coefficients",
        "PLSRegression",
        "PLSCanonical",
        "CCA",
    ),
    _of(
        "LogisticRegression, LogisticRegressionCV: one against rest with three classes, multinomial with two",
        "1.1–1.7",
        "mended: the probabilities of then",
        "LogisticRegression",
        "LogisticRegressionCV",
    ),
    _of("gradient boosting", "1.1–1.8", "mended: losses, the start from `init`", *_BOOSTING),
    _of(
        "histogram gradient boosting, Poisson, Gamma, Tweedie, SGD",
        "1.1–1.8",
        "mended: losses",
        *_HISTOGRAMS,
        *_GENERALIZED,
        *_DESCENDING,
    ),
    _of(
        "ColumnTransformer by name, slice or mask; `passthrough`",
        "1.5, 1.6; 1.1–1.3",
        "mended",
        "ColumnTransformer",
    ),
    _of(
        "SimpleImputer, IterativeImputer, RidgeClassifier, MaxAbsScaler, chains, SplineTransformer, "
        "OneHotEncoder, OrdinalEncoder, KBinsDiscretizer, IsolationForest, CalibratedClassifierCV, "
        "StackingClassifier, SelfTrainingClassifier, neighbors' trees",
        _AS_NEEDED,
        "mended: attributes that came later",
        *("SimpleImputer", "IterativeImputer", "RidgeClassifier", "RidgeClassifierCV", "MaxAbsScaler"),
        *("ClassifierChain", "RegressorChain", "SplineTransformer", "OneHotEncoder", "OrdinalEncoder"),
        *("KBinsDiscretizer", "IsolationForest", "CalibratedClassifierCV", "StackingClassifier"),
        *("SelfTrainingClassifier", "KDTree", "BallTree", "KDTree64", "BallTree64"),
    ),
    _of(
        "searches with a scorer",
        "1.1–1.3",
        "mended: scorers that are no more are only for training",
        *_SEARCHES,
    ),
    _of(
        "SelectFromModel, RFE, RFECV over trees, forests, ensembles",
        "1.1–1.8",
        "mended: missing values are refused as then; SelectFromModel's default threshold too",
        "SelectFromModel",
        "RFE",
        "RFECV",
    ),
    _of("KernelPCA without `gamma`, Isomap", "1.1, 1.2", "mended", "KernelPCA", "Isomap"),
    _of(
        "histogram gradient boosting with categories",
        "1.4, 1.5",
        "mended: a renamed keyword",
        *_HISTOGRAMS,
    ),
    _of("NearestCentroid", "1.1–1.5", "mended; it gives no probabilities, as then", "NearestCentroid"),
    _of(
        "OneVsRestClassifier with equal scores",
        "1.1–1.7",
        "mended: the last of them wins, as then",
        "OneVsRestClassifier",
    ),
    _of(
        "a model that has lost a method, since something inside it lacks an attribute",
        "",
        "refused: it names both",
    ),
    _of(
        "histogram gradient boosting with categories",
        "1.1",
        "refused: negative ones meant something else",
        *_HISTOGRAMS,
    ),
    _of(
        "KNNImputer that adds indicators",
        "1.1, 1.2",
        "refused: the row's width hung on the other rows",
        "KNNImputer",
    ),
    _of("OneHotEncoder that drops a category and groups rare ones", "1.1, 1.2", "refused", "OneHotEncoder"),
    _of("an own class that builds on one of these whose methods are mended", "", "refused"),
    _of(
        "SparsePCA with one row, GaussianMixture with integers (faults of the version here)",
        "any",
        "mended",
        *("SparsePCA", "MiniBatchSparsePCA", "GaussianMixture", "BayesianGaussianMixture"),
    ),
)
OF_BOOSTERS = (
    _of_booster(
        "XGBoost: a DataFrame's categories",
        "before 3.1",
        "refused: they were codes by place, and the places are not in the file",
    ),
    _of_booster(
        "XGBoost: trees with several numbers in a leaf (`multi_output_tree`)",
        "2.0–3.1",
        "served in `xgboost-3.0` or `xgboost-3.1`; refused here before it is read: XGBoost would end the "
        "process",
    ),
    _of_booster(
        "XGBoost: the binary format",
        "1.5–3.0",
        "served in `xgboost-3.0`, but for `reg:gamma` of 1.5 to 2.0, which it does not read; refused here, "
        "as that of earlier versions is",
        "xgboost-binary",
    ),
    _of_booster(
        "XGBoost: joblib, pickle and skops",
        "before 1.6",
        "refused: they hold the binary format, and classes that are no more",
    ),
    _of_booster("XGBoost: pickled wrappers", "1.6", "mended: they lack what is used here"),
    _of_booster(
        "XGBoost: `missing=` of a wrapper",
        "any",
        "as trained in pickles, and in native files of 1.7; later native files do not hold it: a missing "
        "value is `null`, and a marker such as -999 is a number",
        "xgboost",
    ),
    _of_booster(
        "XGBoost: a native file of `binary:logitraw`",
        "any",
        "class 1 above a score of 0.5, as `XGBClassifier.load_model` and `predict`",
    ),
    _of_booster(
        "XGBoost: files of a newer minor version", "", "refused, in pickles, skops files and pipelines too"
    ),
    _of_booster("LightGBM: pickled regressors and rankers", "3", "mended: they lack what is used here"),
    _of_booster("all else that was tried", "", "as its own version predicted"),
)
