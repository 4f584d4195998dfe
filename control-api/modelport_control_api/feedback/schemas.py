"""The bodies of docs/api.md about feedback."""

from pydantic import BaseModel, Field


class ItemError(BaseModel):
    item: int = Field(description="Its number, from 1; of CSV and JSON Lines the number of its line.")
    message: str


class FeedbackAnswer(BaseModel):
    """What became of the items. To send them again changes nothing."""

    accepted: int
    rejected: int
    errors: list[ItemError] = Field(description="Of the first twenty that were rejected.")
