"""What a version's pod is doing before it has answered, in the words of its status message.

They are true on one machine too, where a pod is a process.
"""

WAITING = "waiting to be started"
STARTING_POD = "starting its process"
PREPARING = "preparing its environment"
FETCHING = "fetching the model file"
STARTING_RUNTIME = "starting its runtime"
LOADING = "loading the model"
ANSWERING = "giving its first answers"
