"""One pair of namespaces for all tests of the operator; each test leaves them empty."""

from collections.abc import Iterator

import pytest

from tests.cluster.finding import Cluster
from tests.e2e.operator import operating
from tests.e2e.operator.operating import Harness, Operator, until


@pytest.fixture(scope="session")
def operator_namespaces(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    with operating.harness(cluster.kubeconfig, tmp_path_factory.mktemp("operator")) as made:
        yield made


@pytest.fixture
def harness(operator_namespaces: Harness) -> Iterator[Harness]:
    yield operator_namespaces
    operator_namespaces.delete_models()


@pytest.fixture(scope="module")
def operator(operator_namespaces: Harness) -> Iterator[Operator]:
    """One with the usual settings, for a file whose tests do not stop it."""
    with operator_namespaces.operator() as operator:
        until(operator.leads)
        yield operator
