"""Egress rules as a NetworkPolicy has them, read from a setting.

The API server drops a key that it does not know, and a rule without its `to` opens everything: so a misspelt
one is refused here.
"""

from ipaddress import ip_network
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel)


class Requirement(_Part):
    """One of a selector's `matchExpressions`."""

    key: str
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist"]
    values: list[str] | None = None


class Selector(_Part):
    """Pods or namespaces by their labels. An empty one selects all."""

    match_labels: dict[str, str] | None = None
    match_expressions: list[Requirement] | None = None


class IpBlock(_Part):
    """A network, and those in it that are left out."""

    cidr: str
    except_: list[str] | None = Field(default=None, alias="except")

    @model_validator(mode="after")
    def _are_networks(self) -> Self:
        # Host bits may be set, as the API server has it.
        network = ip_network(self.cidr, strict=False)
        for text in self.except_ or ():
            inner = ip_network(text, strict=False)
            if inner.version != network.version or not inner.subnet_of(network):  # type: ignore[arg-type]
                raise ValueError(f"{text} is no part of {self.cidr}")
        return self


class Peer(_Part):
    """Who may be called: a network, or pods."""

    ip_block: IpBlock | None = None
    namespace_selector: Selector | None = None
    pod_selector: Selector | None = None

    @model_validator(mode="after")
    def _is_one_thing(self) -> Self:
        by_labels = self.namespace_selector is not None or self.pod_selector is not None
        if by_labels == (self.ip_block is not None):
            raise ValueError("it must have an ipBlock, or a namespaceSelector, a podSelector or both")
        return self


class Port(_Part):
    """A port's number or name; with `endPort` a range."""

    port: int | str | None = None
    end_port: int | None = None
    # Written out, as the API server gives it back.
    protocol: Literal["TCP", "UDP", "SCTP"] = "TCP"


class EgressRule(_Part):
    """To whom, at which ports. Without `to`: to everybody; without `ports`: at all."""

    to: list[Peer] | None = None
    ports: list[Port] | None = None

    @model_validator(mode="after")
    def _opens_something_named(self) -> Self:
        given = [part for part in (self.to, self.ports) if part is not None]
        if not given or not all(given):
            raise ValueError("it must have `to`, `ports` or both, with something in them")
        return self

    def as_object(self) -> dict[str, Any]:
        """Return the rule as the API server gives it back."""
        return self.model_dump(by_alias=True, exclude_none=True)


def _usual_dns() -> EgressRule:
    pods = {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
        "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
    }
    ports = [{"port": 53, "protocol": protocol} for protocol in ("UDP", "TCP")]
    return EgressRule.model_validate({"to": [pods], "ports": ports})


USUAL_DNS = (_usual_dns(),)
