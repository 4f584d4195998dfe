"""`python -m modelport_standalone.demo_model PATH`: train the demo's model. A process of its own, because
the platform's must not hold scikit-learn."""

import sys

import joblib
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def main(path: str) -> None:
    """Train on the iris data, and write a joblib file at `path`, over what is there."""
    iris = load_iris(as_frame=True)
    # "sepal length (cm)" -> "sepal_length": names that are easy to type in JSON.
    rows = iris.data.rename(columns=lambda name: name.removesuffix(" (cm)").replace(" ", "_"))
    species = iris.target_names[iris.target]
    joblib.dump(make_pipeline(StandardScaler(), LogisticRegression()).fit(rows, species), path)


if __name__ == "__main__":
    main(sys.argv[1])
