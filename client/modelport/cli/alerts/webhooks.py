"""webhooks list, create, update, test, deliveries, rotate, delete."""

from typing import Annotated

import typer

from modelport.alerts import Webhook
from modelport.cli.options import DEFAULT_URL, AsJson, Url, Yes
from modelport.cli.output import moment_text, note, print_json, print_line, print_listed, print_table
from modelport.cli.typed import typed
from modelport.client import Modelport

app = typer.Typer(help="Have addresses of yours sent what happens.", no_args_is_help=True)

WebhookId = Annotated[
    str, typer.Argument(metavar="WEBHOOK", help="Its id, as `modelport webhooks list` shows it.")
]
EventTypes = Annotated[
    list[str] | None, typer.Option("--event", help="A type, `rollout.*`, or `*`; repeatable.")
]
Limit = Annotated[int, typer.Option(min=1, max=200, help="How many at most.")]


@app.command("list")
def list_webhooks(url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """Show your webhooks, without their secrets."""
    with Modelport(url) as client:
        found = client.webhooks()
    nothing = f"No webhooks yet: {typed('webhooks create URL', url)} makes one."
    print_listed(found, ("ID", "URL", "EVENTS", "MODEL", "STATE"), _row, as_json=as_json, nothing=nothing)


@app.command()
def create(
    address: Annotated[str, typer.Argument(metavar="URL", help="What is sent the messages.")],
    *,
    event: EventTypes = None,
    model: Annotated[str | None, typer.Option(help="Only of this model.")] = None,
    description: Annotated[str, typer.Option(help="What it is for.")] = "",
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Have an address sent events. The secret that signs them is shown this once."""
    with Modelport(url) as client:
        made = client.webhooks.create(address, events=event or ["*"], model_id=model, description=description)
    _print_secret(made, as_json)


@app.command()
def update(
    webhook_id: WebhookId,
    *,
    address: Annotated[str | None, typer.Option(help="Another address.")] = None,
    event: EventTypes = None,
    enabled: Annotated[bool | None, typer.Option("--on/--off", help="Send, or send nothing.")] = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Change a webhook, or turn it on or off."""
    with Modelport(url) as client:
        changed = client.webhooks.update(webhook_id, url=address, events=event or None, enabled=enabled)
    if as_json:
        print_json(changed.raw)
    else:
        note(f"{changed.url} is {'on' if changed.enabled else 'off'}: {' '.join(changed.events)}.")


@app.command("test")
def send_test(webhook_id: WebhookId, url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """Have a message sent that is about nothing."""
    with Modelport(url) as client:
        message = client.webhooks.test(webhook_id)
    if as_json:
        print_json(message.raw)
    else:
        note(f"It is on its way: {typed(f'webhooks deliveries {webhook_id}', url)} shows how it fares.")


@app.command()
def deliveries(
    webhook_id: WebhookId, *, limit: Limit = 20, url: Url = DEFAULT_URL, as_json: AsJson = False
) -> None:
    """Show what was sent, or is to be, newest first."""
    with Modelport(url) as client:
        found = client.webhooks.deliveries(webhook_id, limit=limit)
    if as_json:
        print_json([each.raw for each in found])
        return
    rows = (
        (
            moment_text(each.created_at),
            each.type,
            each.state,
            str(each.attempts),
            each.last_error or str(each.last_status or ""),
            moment_text(each.next_try_at) if each.next_try_at else "",
        )
        for each in found
    )
    print_table(("MADE", "TYPE", "STATE", "TRIES", "LAST ANSWER", "NEXT TRY"), rows)


@app.command()
def rotate(webhook_id: WebhookId, url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """Give a webhook another secret; for 24 hours the former one signs too."""
    with Modelport(url) as client:
        rotated = client.webhooks.rotate_secret(webhook_id)
    _print_secret(rotated, as_json)


@app.command()
def delete(webhook_id: WebhookId, yes: Yes = False, url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """Send it nothing any more."""
    if not yes:
        typer.confirm(f"Delete {webhook_id}, with what waits for it?", abort=True, err=True)
    with Modelport(url) as client:
        client.webhooks.delete(webhook_id)
    note(f"Deleted {webhook_id}.")
    if as_json:
        print_json({"id": webhook_id})


def _print_secret(webhook: Webhook, as_json: bool) -> None:
    if as_json:
        print_json(webhook.raw)
        return
    note(f"Webhook {webhook.id}. Keep its secret now; it is not shown again:")
    print_line(webhook.secret or "")


def _row(webhook: Webhook) -> tuple[str, ...]:
    of = webhook.model_id or "all"
    return (webhook.id, webhook.url, " ".join(webhook.events), of, "on" if webhook.enabled else "off")
