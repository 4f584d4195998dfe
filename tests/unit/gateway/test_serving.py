"""What a caller gets, and what a model is sent."""

from tests.support.gateway_world import World
from tests.support.scripted_model import ScriptedModel, answering, http


async def test_a_prediction_is_the_models_own_bytes(serving: World, model: ScriptedModel) -> None:
    model.script = answering(http("200 OK", b'{"prediction" :  1}'))
    answer = await serving.predict()
    assert answer.status_code == 200
    assert answer.content == b'{"prediction" :  1}'
    assert answer.headers["x-modelport-version"] == "v1"
    assert answer.headers["x-cache"] == "miss"
    assert answer.headers["ratelimit-policy"].startswith('"predict"')
    assert "model;dur=" in answer.headers["server-timing"]
    assert answer.headers["content-type"] == "application/json"
