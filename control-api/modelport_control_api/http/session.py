"""The dependency that gives a request its transaction, committed before the answer leaves."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.orm import Session

from modelport_control_api.http.context import get_context


def open_session(request: Request) -> Iterator[Session]:
    read_only = request.method in ("GET", "HEAD")
    with get_context(request).database.transaction(read_only=read_only) as session:
        yield session


# "function": FastAPI would otherwise commit after the answer has left, and a client that reads at once
# what it wrote would not find it.
get_session = Depends(open_session, scope="function")
DbSession = Annotated[Session, get_session]
