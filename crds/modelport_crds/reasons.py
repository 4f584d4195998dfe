"""The closed set of reasons: why a version or a model is as it is, what that means, and what to do.

A new reason is added here, and `docs/reasons.md` is generated from this file (a test fails when it lags).
"""

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """Written in status, returned by the API, shown by the CLI: one CamelCase word each."""

    UNSUPPORTED_FORMAT = "UnsupportedFormat"
    CORRUPT_ARTIFACT = "CorruptArtifact"
    NOT_A_MODEL = "NotAModel"
    FRAMEWORK_MISMATCH = "FrameworkMismatch"
    ARTIFACT_NOT_FOUND = "ArtifactNotFound"
    DIGEST_MISMATCH = "DigestMismatch"
    TOO_LARGE = "TooLarge"
    MISSING_MODULE = "MissingModule"
    LIBRARY_MISMATCH = "LibraryMismatch"
    ENVIRONMENT_UNAVAILABLE = "EnvironmentUnavailable"
    SANDBOX_UNAVAILABLE = "SandboxUnavailable"
    LOAD_FAILED = "LoadFailed"
    MEMBERS_MISMATCH = "MembersMismatch"
    LOAD_TIMEOUT = "LoadTimeout"
    OUT_OF_MEMORY = "OutOfMemory"
    RUNTIME_CRASHED = "RuntimeCrashed"
    SANDBOX_VIOLATION = "SandboxViolation"
    SAMPLE_INVALID = "SampleInvalid"
    SAMPLE_FAILED = "SampleFailed"
    MODEL_ERROR = "ModelError"
    MODEL_TIMEOUT = "ModelTimeout"
    QUEUE_FULL = "QueueFull"
    NO_READY_VERSION = "NoReadyVersion"
    SIGNATURE_CHANGED = "SignatureChanged"
    INPUT_INVALID = "InputInvalid"
    STORAGE_QUOTA_REACHED = "StorageQuotaReached"
    API_KEY_LIMIT_REACHED = "ApiKeyLimitReached"
    IMAGE_PULL_FAILED = "ImagePullFailed"
    UNSCHEDULABLE = "Unschedulable"
    QUOTA_EXCEEDED = "QuotaExceeded"
    POD_REFUSED = "PodRefused"
    POD_INCOMPLETE = "PodIncomplete"
    NAME_TAKEN = "NameTaken"
    PROGRESSING = "Progressing"
    NOT_DEPLOYED = "NotDeployed"
    SERVING = "Serving"
    DELETING = "Deleting"


@dataclass(frozen=True)
class Explanation:
    """What a reason means and its cure, one sentence each, for users."""

    group: str
    meaning: str
    cure: str


EXPLANATIONS: dict[Reason, Explanation] = {
    Reason.UNSUPPORTED_FORMAT: Explanation(
        "Artifact",
        "The file is not a model file that Modelport knows.",
        "Upload a joblib, pickle, skops, ONNX, XGBoost (.json, .ubj), LightGBM (.txt), CatBoost (.cbm), "
        "PyTorch (.pt2, .pt), JAX (.jaxexport) or Keras (.keras, .h5) file, a zip or tar.gz of a SavedModel "
        "or of a folder of MLflow, MLServer, AutoGluon or Hugging Face, or code of your own (.py, or a zip "
        "with model.py).",
    ),
    Reason.CORRUPT_ARTIFACT: Explanation(
        "Artifact",
        "The file is truncated or unreadable.",
        "Save the model again and upload the new file; compare its size and sha256 with the original.",
    ),
    Reason.NOT_A_MODEL: Explanation(
        "Artifact",
        "The file loads, but what it holds can neither predict nor transform.",
        "Save the fitted estimator or pipeline itself, not its parameters, results or a dictionary of it.",
    ),
    Reason.FRAMEWORK_MISMATCH: Explanation(
        "Artifact",
        "The model_type given contradicts the file.",
        "Leave model_type out (it is detected), or give the one that the message names.",
    ),
    Reason.ARTIFACT_NOT_FOUND: Explanation(
        "Artifact",
        "Nothing lies at the artifact's address.",
        "Upload the file again, or correct spec.versions[].artifact.uri in a new version.",
    ),
    Reason.DIGEST_MISMATCH: Explanation(
        "Artifact",
        "The bytes fetched do not have the sha256 that the version names.",
        "Create a new version with the digest of the file as it is now; the bytes may have been replaced.",
    ),
    Reason.TOO_LARGE: Explanation(
        "Artifact",
        "The file is larger than the platform accepts.",
        "Make the model smaller, or have MODELPORT_MAX_UPLOAD_BYTES raised.",
    ),
    Reason.MISSING_MODULE: Explanation(
        "Environment",
        "The model needs a Python module or class that the runtime does not have.",
        "If a package has it, upload the file with `requirements` that name the package; send modules and "
        "classes of your own along (`modelport upload FILE --code MODULE.py`).",
    ),
    Reason.LIBRARY_MISMATCH: Explanation(
        "Environment",
        "The model was saved with another version of a library and does not work with the one here.",
        "Run it in the environment of its own version (`modelport retry MODEL --environment NAME`, such as "
        "sklearn-1.2), or save it again with the version that the message names as the one here.",
    ),
    Reason.ENVIRONMENT_UNAVAILABLE: Explanation(
        "Environment",
        "The environment that the version names cannot be had here.",
        "On one machine run `modelport environments prepare NAME` where an index can be reached; "
        "on Kubernetes build its image and push it to where the nodes pull from, or, of own requirements, "
        "see that the chart's package index responds.",
    ),
    Reason.SANDBOX_UNAVAILABLE: Explanation(
        "Environment",
        "This machine cannot isolate model code, and the format can run code.",
        "Use Linux 5.13 or newer with Landlock, upload ONNX instead, or start with --allow-unsandboxed.",
    ),
    Reason.LOAD_FAILED: Explanation(
        "Loading",
        "Loading raised an exception; the message holds its last line.",
        "Load the file with joblib.load, or import your own code, in a fresh Python; `modelport logs` shows "
        "the whole trace.",
    ),
    Reason.MEMBERS_MISMATCH: Explanation(
        "Loading",
        "The members of the ensemble cannot be joined in this way; the message says which, and why.",
        "Join other versions, or these in another way: a vote and an average need the same classes, and each "
        "member of a chain takes what the one before it predicts.",
    ),
    Reason.LOAD_TIMEOUT: Explanation(
        "Loading",
        "Loading took longer than the limit (60 s unless set).",
        "Make the model smaller, or have MODELPORT_LOAD_TIMEOUT_SECONDS raised.",
    ),
    Reason.OUT_OF_MEMORY: Explanation(
        "Loading",
        "The model needs more memory than its limit (2 GiB unless set).",
        "Make the model smaller, or have MODELPORT_RUNTIME_MEMORY_BYTES raised.",
    ),
    Reason.RUNTIME_CRASHED: Explanation(
        "Loading",
        "The process ended; the message holds its exit code or signal.",
        "Read `modelport logs`; a native library of another version is the usual cause.",
    ),
    Reason.SANDBOX_VIOLATION: Explanation(
        "Loading",
        "The model tried something that a model may not do; the message says what.",
        "Only upload models you trust; take file, network and process access out of the model's code.",
    ),
    Reason.SAMPLE_INVALID: Explanation(
        "Sample",
        "The sample does not fit the model's signature.",
        "Correct what the message names: a sample is one row as the model's users would send it.",
    ),
    Reason.SAMPLE_FAILED: Explanation(
        "Sample",
        "The model raised when it predicted the sample.",
        "Predict the same row with the model locally: where it works there, compare the libraries' versions.",
    ),
    Reason.MODEL_ERROR: Explanation(
        "Serving",
        "The model raised while predicting.",
        "Read `modelport logs`: the trace is there; check the values sent against the training data.",
    ),
    Reason.MODEL_TIMEOUT: Explanation(
        "Serving",
        "The model did not respond within its time limit.",
        "Send fewer rows, or raise the model's timeout.",
    ),
    Reason.QUEUE_FULL: Explanation(
        "Serving",
        "More requests wait for the model than its queue holds.",
        "Try again after Retry-After seconds, or run more replicas.",
    ),
    Reason.NO_READY_VERSION: Explanation(
        "Serving",
        "No version of the model can serve now.",
        "Wait for it to become ready; the model's own reason says what holds it up.",
    ),
    Reason.SIGNATURE_CHANGED: Explanation(
        "Serving",
        "The version lacks what callers of the one that serves depend on, so that one keeps the requests.",
        "Try it by its version's address, or send it the requests all the same: `modelport traffic` with "
        "`--force`, the page of versions, or in the spec a share without compatibleWith.",
    ),
    Reason.INPUT_INVALID: Explanation(
        "Batch jobs",
        "The input of the job cannot be fetched, or read as what it is, or lacks what the model takes.",
        "Correct what the message names and submit the job again; single bad rows never end a job.",
    ),
    Reason.STORAGE_QUOTA_REACHED: Explanation(
        "Batch jobs",
        "The account holds as many bytes as it may: the job's input or results would be more.",
        "Delete jobs, versions or models that nobody needs, or ask an administrator for more; then retry.",
    ),
    Reason.API_KEY_LIMIT_REACHED: Explanation(
        "Accounts",
        "The account holds as many API keys that have not expired as it may.",
        "Revoke those that nobody uses (`last_used_at` shows them), or have USER_MAX_API_KEYS raised.",
    ),
    Reason.IMAGE_PULL_FAILED: Explanation(
        "Cluster",
        "The runtime's image cannot be pulled.",
        "Check the image name, the registry's reachability and the pull secret.",
    ),
    Reason.UNSCHEDULABLE: Explanation(
        "Cluster",
        "No node has room for the pod.",
        "Lower the requested resources or add a node.",
    ),
    Reason.QUOTA_EXCEEDED: Explanation(
        "Cluster",
        "The namespace's quota does not allow another pod.",
        "Raise the ResourceQuota or delete what is not needed.",
    ),
    Reason.POD_REFUSED: Explanation(
        "Cluster",
        "The cluster's rules (Pod Security, a limit range, a webhook) do not let the pod in.",
        "Let the namespace's rules accept what the message names, or change spec.versions[].resources.",
    ),
    Reason.POD_INCOMPLETE: Explanation(
        "Cluster",
        "Something that the pod needs is not there, or not for it: a Secret or a PersistentVolumeClaim.",
        "Create what the message names in the model's namespace, or allow it; the pod goes on by itself.",
    ),
    Reason.NAME_TAKEN: Explanation(
        "Cluster",
        "An object that the version needs has a name that an object of somebody else has already.",
        "Delete that object or give the model another name; the version goes on by itself.",
    ),
    Reason.PROGRESSING: Explanation(
        "Cluster",
        "The version is starting: fetching, loading or answering its sample.",
        "Wait; `modelport status` shows when it is ready.",
    ),
    Reason.NOT_DEPLOYED: Explanation(
        "Cluster",
        "The cluster does not have the model as the API has it: it was deleted there, or refuses the change.",
        "Redeploy it (POST /api/v1/models/{id}/redeploy), or correct what the message says in the cluster.",
    ),
    Reason.SERVING: Explanation("Cluster", "All is as specified.", "Nothing to do."),
    Reason.DELETING: Explanation("Cluster", "The model is being deleted.", "Nothing to do."),
}
