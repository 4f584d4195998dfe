"""What an upload would go to, as far as it decides about a file."""

from contextlib import closing
from dataclasses import dataclass
from typing import Self

from modelport.errors import ModelportError
from modelport.steps import request
from modelport.transport.blocking import Transport
from modelport.transport.retries import RetryPolicy
from modelport_control_api.models.upload_openapi import CHOSEN_BY_FILE
from modelport_control_api.settings import UploadSettings
from modelport_process.settings import read_settings

_UPLOAD = "/api/v1/models/upload"
_SECONDS = 20


@dataclass(frozen=True)
class Platform:
    """`url`: None for `modelport up` of this installation. `chooses`: environments, by what is in a file."""

    url: str | None
    max_upload_bytes: int
    chooses: bool

    @classmethod
    def of_this_machine(cls) -> Self:
        """Return what `modelport up` would be with the variables as they are. Raises CannotStart."""
        # Where it keeps files is no matter.
        settings = read_settings(UploadSettings, artifacts_url="/")
        return cls(None, settings.max_upload_bytes, chooses=True)

    @classmethod
    def at(cls, url: str) -> Self:
        """Return what the platform there says of uploads to anybody. Raises ModelportError."""
        transport = Transport(url, None, timeout_seconds=_SECONDS, retries=RetryPolicy())
        with closing(transport):
            document = transport.run(request("GET", "/openapi.json", anonymous=True)).json()
        try:
            fields = document["paths"][_UPLOAD]["post"]["requestBody"]["content"]["multipart/form-data"]
            parts = fields["schema"]["properties"]
            most, chooses = parts["file"]["maxLength"], parts["environment"][CHOSEN_BY_FILE]
        except (KeyError, TypeError) as error:
            raise ModelportError(
                f"{transport.url} does not say what it takes: it is of an earlier release. "
                "Leave --platform out to examine the file by this installation."
            ) from error
        return cls(transport.url, int(most), chooses=bool(chooses))
