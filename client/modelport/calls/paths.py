"""Paths of the REST API."""

from urllib.parse import quote


def path_of(*segments: str) -> str:
    """`/api/v1/…` with the segments quoted."""
    return "/".join(["/api/v1", *(quote(segment, safe="") for segment in segments)])
