"""Labels that come late, twice, corrected, in any order: quality is scikit-learn's of the last ones."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import orjson
import pytest
from sklearn import metrics

from tests.control_api.contract.quality.conftest import Scene
from tests.support.nightly import at_night

# Each is predicted and labelled: see `Story`.
ROWS = at_night(3_000, 100_000)
DAYS = 3
START = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=DAYS)
SPECIES = ["setosa", "versicolor", "virginica"]
Row = dict[str, Any]


@dataclass
class Story:
    """What was predicted, what was said about it, and what the last word on each is."""

    predictions: list[Row] = field(default_factory=list)
    early: list[Row] = field(default_factory=list)
    late: list[Row] = field(default_factory=list)
    final: list[Row] = field(default_factory=list)
    """`version`, `day`, `prediction`, `probabilities`, `label` of each whose truth is known."""

    def tell(self, number: int, version: str, prediction: Any, probabilities: Any, labels: list[Any]) -> None:
        """labels: each corrects the one before."""
        at = START + timedelta(seconds=number * DAYS * 86_400 / ROWS)
        key = {"prediction_id": f"r{number // 2}", "row": number % 2}
        self.predictions.append(
            key
            | {"version": version, "unit": "", "at": at, "prediction": orjson.dumps(prediction).decode()}
            | {"probabilities": probabilities and orjson.dumps(probabilities).decode()}
        )
        for correction, label in enumerate(labels):
            heard = {"at": at + timedelta(minutes=1 + correction), "received_at": at, "reward": None}
            said = key | heard | {"label": orjson.dumps(label).decode()}
            (self.late if number % 3 == 0 else self.early).extend([said] * (2 if number % 10 == 0 else 1))
        if labels:
            last = {"prediction": prediction, "probabilities": probabilities, "label": labels[-1]}
            self.final.append({"version": version, "day": at.date()} | last)


async def tell_all(scene: Scene, story: Story, random: np.random.Generator) -> None:
    """Predictions and early labels mixed, then the late ones; each in random order."""
    mixed: list[tuple[Callable[..., None], Row]] = [(scene.predict, row) for row in story.predictions]
    mixed += [(scene.label, row) for row in story.early]
    for rows in (mixed, [(scene.label, row) for row in story.late]):
        order = random.permutation(len(rows))
        for begin in range(0, len(rows), 2_000):
            some = [rows[place] for place in order[begin : begin + 2_000]]
            for write in (scene.predict, scene.label):
                await asyncio.to_thread(write, *(row for writer, row in some if writer == write))


def labels_of(random: np.random.Generator, truth: Any, wrong: Any) -> list[Any]:
    """In a twentieth the truth is never known; in a fifth what was said first is corrected."""
    drawn = random.random()
    return [] if drawn < 0.05 else [wrong, truth] if drawn < 0.25 else [truth]


def classified(random: np.random.Generator) -> Story:
    story = Story()
    for number in range(ROWS):
        probabilities = random.dirichlet([1.5, 1, 0.7])
        truth = random.choice(3, p=0.8 * probabilities + 0.2 / 3)
        named = dict(zip(SPECIES, map(float, probabilities), strict=True))
        said = labels_of(random, SPECIES[truth], SPECIES[truth - 1])
        story.tell(number, f"v{1 + number % 2}", SPECIES[probabilities.argmax()], named, said)
    return story


def numbered(random: np.random.Generator) -> Story:
    story = Story()
    for number in range(ROWS):
        truth = float(random.normal(10, 3))
        story.tell(number, "v1", truth + float(random.normal(0.3, 1)), None, labels_of(random, truth, 0.0))
    return story


def by_scikit_learn(rows: list[Row]) -> dict[str, float]:
    truth, said = [row["label"] for row in rows], [row["prediction"] for row in rows]
    if rows[0]["probabilities"] is None:
        return {
            "mae": metrics.mean_absolute_error(truth, said),
            "rmse": metrics.root_mean_squared_error(truth, said),
            "r2": metrics.r2_score(truth, said),
            "bias": float(np.mean(np.subtract(said, truth))),
        }
    scores = np.array([[row["probabilities"][name] for name in SPECIES] for row in rows])
    return {
        "accuracy": metrics.accuracy_score(truth, said),
        "f1_macro": metrics.f1_score(truth, said, average="macro"),
        "roc_auc": metrics.roc_auc_score(truth, scores, multi_class="ovr", average="macro", labels=SPECIES),
        "log_loss": metrics.log_loss(truth, scores, labels=SPECIES),
        "brier": metrics.brier_score_loss(truth, scores, labels=SPECIES),
    }


def parts(found: dict[str, Any], final: list[Row]) -> Iterator[tuple[dict[str, Any], list[Row]]]:
    """Each version, and each day of it, beside its rows."""
    for version in found["versions"]:
        own = [row for row in final if row["version"] == version["version"]]
        yield version, own
        for point in version["series"]:
            day = datetime.fromisoformat(point["start"]).date()
            yield point, [row for row in own if row["day"] == day]


@pytest.mark.parametrize("tale", [classified, numbered])
async def test_quality_is_what_scikit_learn_says_of_the_last_labels(
    scene: Scene, tale: Callable[[np.random.Generator], Story]
) -> None:
    random = np.random.default_rng(16)
    story = tale(random)
    await tell_all(scene, story, random)
    found = await scene.quality(
        **{"from": START.isoformat(), "to": (START + timedelta(days=DAYS)).isoformat()}
    )
    assert found["since"] is None
    compared = 0
    for part, rows in parts(found, story.final):
        assert part["labels"] == len(rows)
        expected = by_scikit_learn(rows)
        got = {name: part["metrics"][name]["value"] for name in expected}
        assert got == pytest.approx(expected, abs=1e-9, rel=0)
        assert part["metrics"].keys() - expected.keys() <= {"calibration_error"}
        compared += len(rows)
    # Once in the whole, once in its day.
    assert compared == 2 * len(story.final)
    assert sum(version["predictions"] for version in found["versions"]) == ROWS


async def test_days_begin_at_midnight_of_the_time_zone(scene: Scene) -> None:
    zone = ZoneInfo("Asia/Kolkata")
    midnight = datetime.now(zone).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
    for number, minutes in enumerate((-1, 0, 1)):
        at = midnight + timedelta(minutes=minutes)
        row = {"prediction_id": f"r{number}", "row": 0, "version": "v1", "unit": "", "at": at}
        scene.predict(row | {"prediction": '"a"', "probabilities": None})
    [version] = (
        await scene.quality(timezone=zone.key, **{"from": (midnight - timedelta(days=1)).isoformat()})
    )["versions"]
    assert [point["predictions"] for point in version["series"]] == [1, 2]
    assert datetime.fromisoformat(version["series"][1]["start"]) == midnight


async def test_one_version_may_be_asked_for(scene: Scene) -> None:
    at = datetime.now(UTC)
    for name in ("v1", "v2"):
        row = {"prediction_id": name, "row": 0, "version": name, "unit": "", "at": at}
        scene.predict(row | {"prediction": "1.5", "probabilities": None})
    assert [each["version"] for each in (await scene.quality())["versions"]] == ["v1", "v2"]
    assert [each["version"] for each in (await scene.quality(version="v2"))["versions"]] == ["v2"]
