"""What a version's pod is doing before it has answered, in the words of its status message."""

WAITING = "waiting for its pod"
STARTING_POD = "starting its pod"
FETCHING = "fetching the model file"
STARTING_RUNTIME = "starting its runtime"
LOADING = "loading the model"
ANSWERING = "giving its first answers"
