"""Which page of a list is asked for: its query parameters."""

from typing import Annotated

from fastapi import Query

PageLimit = Annotated[int, Query(alias="limit", ge=1, le=200)]
PageCursor = Annotated[str | None, Query(alias="cursor", max_length=200)]
