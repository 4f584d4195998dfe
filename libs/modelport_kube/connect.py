"""Where the cluster is and who we are there: a pod's service account, or a kubeconfig."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from kubernetes.aio import config
from kubernetes.aio.client import ApiClient, Configuration
from kubernetes.aio.config import ConfigException

# aiohttp's default of 100 would let long watches and a burst of passes wait for each other.
_CONNECTIONS = 256


class NoClusterAccess(Exception):
    """Neither a service account nor a usable kubeconfig."""


def runs_in_pod() -> bool:
    """Return whether to be a pod's service account: in a pod, unless KUBECONFIG is set."""
    # Always set in a pod, and nowhere else.
    return "KUBERNETES_SERVICE_HOST" in os.environ and "KUBECONFIG" not in os.environ


@asynccontextmanager
async def connected() -> AsyncIterator[ApiClient]:
    """Return a client of the cluster. Raises `NoClusterAccess`; whether the cluster responds is not
    checked.
    """
    settings = Configuration()
    try:
        if runs_in_pod():
            config.load_incluster_config(client_configuration=settings)  # type: ignore[no-untyped-call]
        else:
            await config.load_kube_config(client_configuration=settings)  # type: ignore[no-untyped-call]
    except (ConfigException, OSError) as error:
        raise NoClusterAccess(
            f"No access to a Kubernetes cluster ({error}): run in a pod with a service account, "
            "or let KUBECONFIG name a file that kubectl can use."
        ) from error
    settings.connection_pool_maxsize = _CONNECTIONS
    # As kubectl verifies. Python 3.13 would refuse authorities that sign without key identifiers.
    settings.disable_strict_ssl_verification = True
    async with ApiClient(settings) as client:
        yield client
