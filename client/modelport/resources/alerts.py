"""`client.events` and `client.webhooks`."""

from collections.abc import Sequence

from modelport.alerts import Delivery, Event, Webhook
from modelport.calls.alerts import events as event_calls
from modelport.calls.alerts import webhooks as calls
from modelport.transport.blocking import Transport


class Events:
    """What happened to your models and jobs (`/help/webhooks`). Every method raises `ModelportError`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def mark_read(self, event_id: str | None = None) -> None:
        """Mark one as read, or all."""
        self._transport.run(event_calls.mark_read(event_id))

    def list(self, *, unread: bool = False, model_id: str | None = None, limit: int = 50) -> list[Event]:
        """Return the newest ones.

        Args:
            limit: At most 200.
        """
        return self._transport.run(event_calls.listed(unread=unread, model_id=model_id, limit=limit))

    __call__ = list


class Webhooks:
    """Addresses that are sent what happens (`/help/webhooks`). Every method raises `ModelportError`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def create(
        self, url: str, *, events: Sequence[str] = ("*",), model_id: str | None = None, description: str = ""
    ) -> Webhook:
        """Have an address sent events; only this response has the `secret` that signs them.

        Args:
            events: Types such as `model.failed`, `rollout.*`, or `*`.
            model_id: Only of this model.

        Raises:
            InvalidRequest: The address or a type is wrong.
            Conflict: You have as many as are allowed.
        """
        return self._transport.run(calls.create(url, events, model_id, description))

    def get(self, webhook_id: str) -> Webhook:
        """Return one of yours, without its secret."""
        return self._transport.run(calls.get(webhook_id))

    def update(
        self,
        webhook_id: str,
        *,
        url: str | None = None,
        events: Sequence[str] | None = None,
        description: str | None = None,
        enabled: bool | None = None,
    ) -> Webhook:
        """Change it; what is left out stays."""
        return self._transport.run(
            calls.update(webhook_id, url=url, events=events, description=description, enabled=enabled)
        )

    def delete(self, webhook_id: str) -> None:
        """Send it nothing any more."""
        self._transport.run(calls.delete(webhook_id))

    def rotate_secret(self, webhook_id: str) -> Webhook:
        """Give it another `secret`; for 24 hours the former one signs too."""
        return self._transport.run(calls.rotate_secret(webhook_id))

    def test(self, webhook_id: str) -> Delivery:
        """Have a message sent that is about nothing; `deliveries` has how it fares.

        Raises:
            Conflict: The webhook is off.
        """
        return self._transport.run(calls.test(webhook_id))

    def deliveries(self, webhook_id: str, *, limit: int = 50) -> list[Delivery]:
        """Return the newest messages, sent or not."""
        return self._transport.run(calls.deliveries(webhook_id, limit))

    def list(self) -> list[Webhook]:
        """Return all of yours."""
        return self._transport.run(calls.LIST.whole())

    __call__ = list
