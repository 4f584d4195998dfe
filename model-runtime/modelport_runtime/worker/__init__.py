"""The worker process: reads the model inside the sandbox and predicts."""
