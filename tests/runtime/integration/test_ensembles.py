"""An ensemble in a real runtime process, in its sandbox: members of several frameworks are one model."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.support import models
from tests.support.ensembles import Part, archive, fetched
from tests.support.runtime_fixtures import Runtime


def test_members_of_several_frameworks_predict_in_one_sandbox(
    tmp_path: Path, runtime: Callable[..., Runtime]
) -> None:
    import xgboost

    data, species = models.iris()
    codes = np.unique(species, return_inverse=True)[1]
    pipeline = make_pipeline(StandardScaler(), LogisticRegression()).fit(data, codes)
    boosted = xgboost.XGBClassifier(n_estimators=3).fit(data, codes)
    onnx = models.save_onnx(models.Trained(pipeline, data), tmp_path, zipmap=False).read_bytes()
    parts = [
        Part(pipeline),
        Part(onnx, "onnx"),
        Part(bytes(boosted.get_booster().save_raw("ubj")), "xgboost"),
    ]

    started = runtime(fetched(tmp_path, archive("average", parts)), "ensemble").wait_until_started()

    status = started.status
    assert (status["state"], status["sandbox"]["level"], status["engine"]) == ("ready", 2, "native"), status
    assert "system_call_refused" not in started.log
    answer = started.post("/predict", {"inputs": data.tolist(), "return": ["probabilities"]}).json
    shares = np.array([[*row.values()] for row in answer["probabilities"]])
    expected = (2 * pipeline.predict_proba(data) + boosted.predict_proba(data)) / 3
    np.testing.assert_allclose(shares, expected, atol=1e-5)
    assert json.dumps(status["libraries"]).count("onnxruntime") == 1
