"""A measured network saved by MLflow: ``mlflow_network.py torch|keras MODEL FOLDER``, by the peer's Python.

PyTorch's is built again, as MLflow wants the module itself. Which weights it has costs no time.
"""

import sys
from pathlib import Path


def save_torch(folder: str) -> None:
    import mlflow.pytorch
    import numpy as np
    import torch
    from torch import nn

    torch.manual_seed(7)
    layers = [nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 3), nn.Softmax(1)]
    # Two rows: of one, the exported program would take no other number.
    example = np.zeros((2, 20), np.float32)
    network = nn.Sequential(*layers).eval()
    mlflow.pytorch.save_model(network, folder, input_example=example, pip_requirements=[])


def save_keras(model: str, folder: str) -> None:
    import keras
    import mlflow.tensorflow

    mlflow.tensorflow.save_model(keras.models.load_model(model), folder, pip_requirements=[])


if __name__ == "__main__":
    kind, model, folder = sys.argv[1], sys.argv[2], str(Path(sys.argv[3]))
    save_torch(folder) if kind == "torch" else save_keras(model, folder)
