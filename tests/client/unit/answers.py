"""Bodies as the platform writes them."""

from typing import Any


def version(name: str = "v1", status: str = "ready", **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "status": status,
        "reason": "Serving",
        "message": "It serves.",
        "framework": "sklearn",
        "sha256": "ab" * 32,
        "size": 1_234_567,
        "traffic": 100,
        "signature": None,
        "libraries": {"found": {"scikit-learn": "1.9.0"}, "here": {"scikit-learn": "1.9.0"}},
        "engine": "numpy",
        "acceleration": {"rows_compared": 4096, "largest_difference": 0.0, "detail": "They are equal."},
        "created_at": "2026-11-24T02:30:00Z",
        "a_field_of_a_newer_platform": True,
        **more,
    }


def model(status: str = "ready", **more: Any) -> dict[str, Any]:
    return {
        "id": "iris-7kq2p",
        "name": "Iris [v2]",
        "description": "",
        "framework": "sklearn",
        "status": status,
        "reason": "Serving" if status == "ready" else "Progressing",
        "message": "It serves." if status == "ready" else "The model is loading.",
        "predict_url": "http://127.0.0.1:8000/predict/iris-7kq2p",
        "signature": {"columns": [{"name": "petal_width", "kind": "number", "optional": True}]},
        "acceleration": "auto",
        "sticky": None,
        "traffic": {"v1": 100},
        "versions": [version()],
        "created_at": "2026-11-24T02:30:00Z",
        **more,
    }


def key(**more: Any) -> dict[str, Any]:
    return {
        "id": "k1",
        "name": "ci",
        "prefix": "mlp_live_ab12",
        "scopes": ["predict"],
        "model_ids": None,
        "created_at": "2026-11-24T02:30:00Z",
        "expires_at": None,
        "last_used_at": None,
        **more,
    }


def tokens(number: int = 1, expires_in: int = 1800) -> dict[str, Any]:
    return {
        "access_token": f"access-{number}",
        "refresh_token": f"refresh-{number}",
        "token_type": "bearer",
        "expires_in": expires_in,
    }


USER = {"id": "u1", "email": "ada@example.com", "full_name": "Ada", "created_at": "2026-11-24T02:30:00Z"}

ONE = {"model": "iris-7kq2p", "version": "v1", "prediction": "setosa"}
