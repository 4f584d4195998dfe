"""Uploaded models that are joined by the SDK: one endpoint, which outlives what it was made of."""

from pathlib import Path

import joblib
import numpy as np
from modelport import Modelport
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier, StackingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.support.platform_process import PlatformProcess


def test_a_stack_of_uploaded_models_serves_what_scikit_learn_predicts(
    platform: PlatformProcess, tmp_path: Path
) -> None:
    rows, target = load_breast_cancer(return_X_y=True, as_frame=True)
    linear = make_pipeline(StandardScaler(), LogisticRegression()).fit(rows, target)
    forest = RandomForestClassifier(10, random_state=0).fit(rows, target)
    oracle = StackingClassifier([("a", linear), ("b", forest)], cv="prefit").fit(rows, target)
    scopes = ["models:read", "models:write", "predict"]
    with platform.register_user() as http:
        key = (
            http.post("/api/v1/api-keys", json={"name": "k", "scopes": scopes})
            .raise_for_status()
            .json()["key"]
        )
        client = Modelport(platform.url, api_key=key)
        parts = []
        for name, model in (("Linear", linear), ("Forest", forest), ("Final", oracle.final_estimator_)):
            joblib.dump(model, tmp_path / name)
            # Not waited for: an ensemble has its members' files, and loads them itself.
            parts.append(client.upload(tmp_path / name, name))
        *members, final = [each.id for each in parts]
        made = client.models.ensemble("Stacked", members, join="stack", final=final)
        ready = client.wait_for_model(made.id)
        for each in parts:
            client.delete(each.id)

        answer = client.predict_many(ready.id, rows, return_=["prediction", "probabilities"])

    assert [each.prediction for each in answer] == oracle.predict(rows).tolist()
    shares = np.array([[*(each.probabilities or {}).values()] for each in answer])
    np.testing.assert_allclose(shares, oracle.predict_proba(rows), atol=1e-9)
    assert ready.versions[0].raw["ensemble"]["final"]["model"] == final
