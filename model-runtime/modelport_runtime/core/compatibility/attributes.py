"""What an estimator of this version keeps and an older one did not, where it follows from what there is."""

from inspect import Parameter, signature
from typing import Any

from modelport_runtime.core.compatibility.versions import Saved


def add_parameters(estimator: Any, _saved: Saved) -> None:
    """Give parameters that came later their default, which keeps what was done before they came."""
    given = vars(estimator)
    known: Any = next(kind for kind in type(estimator).__mro__ if kind.__module__.startswith("sklearn."))
    for name, parameter in signature(known.__init__).parameters.items():
        if name in given or parameter.default is Parameter.empty:
            continue
        renamed = given.get("base_estimator") if name == "estimator" else None
        given[name] = parameter.default if renamed is None else renamed


def mend_imputer(imputer: Any, _saved: Saved) -> None:
    """Then it filled in what it had learnt, as it was."""
    if hasattr(imputer, "statistics_") and not hasattr(imputer, "_fill_dtype"):
        imputer._fill_dtype = imputer.statistics_.dtype


def mend_gradient_descent(model: Any, _saved: Saved) -> None:
    """Until 1.2 the loss that gives probabilities had another name as well."""
    if vars(model).get("loss") == "log":
        model.loss = "log_loss"


def mend_text_weights(transformer: Any, _saved: Saved) -> None:
    """Until 1.4 the weights lay on the diagonal of a matrix."""
    weights = vars(transformer).pop("_idf_diag", None)
    if weights is not None:
        transformer.idf_ = weights.diagonal()


def mend_pls(model: Any, saved: Saved) -> None:
    """Until 1.4 the coefficients were those of scaled rows."""
    if not saved.before(1, 5) or not hasattr(model, "_x_std"):
        return
    scaled = vars(model).get("_coef_", vars(model).get("coef_"))
    model.coef_ = scaled / model._x_std
    if not hasattr(model, "_predict_1d"):
        model._predict_1d = False


def mend_ridge_classifier(model: Any, _saved: Saved) -> None:
    if not hasattr(model, "classes_") and "_label_binarizer" in vars(model):
        model.classes_ = model._label_binarizer.classes_


def mend_kernel_components(model: Any, _saved: Saved) -> None:
    """Until 1.2 the kernel itself took the default of `gamma`."""
    if hasattr(model, "eigenvalues_") and not hasattr(model, "gamma_"):
        model.gamma_ = 1 / model.n_features_in_ if model.gamma is None else model.gamma
