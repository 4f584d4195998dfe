"""Imports of Transformers what every model needs, while the process still has its rights, and no Hub."""

import os
import sys

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
# Batches are formed before, and one thread computes.
os.environ["TOKENIZERS_PARALLELISM"] = "false"
# PyTorch's compiler, which nothing here calls, makes this folder when it is imported, else in /tmp.
os.environ["TORCHINDUCTOR_CACHE_DIR"] = sys.prefix

# Takes most of the time of every first model.
import transformers.masking_utils
import transformers.modeling_utils  # noqa: F401
from transformers import AutoModelForSequenceClassification, AutoTokenizer
from transformers.utils import logging

logging.set_verbosity_error()
logging.disable_progress_bar()

__all__ = ["AutoModelForSequenceClassification", "AutoTokenizer"]
