"""Gateway and control API on a real API server, with the rights of their ServiceAccounts. The test plays the
operator.
"""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from modelport_control_api.migrations import upgrade as migrate
from modelport_control_api.signing_keys import rotation

from tests.e2e.kubectl import Kubectl
from tests.e2e.servers import rights
from tests.e2e.servers.stage import Stage
from tests.support.postgres_fixtures import PostgresServer
from tests.support.redis_fixtures import RedisServer


@pytest.fixture(scope="module")
def stage(
    cluster: object, postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    name = f"servers-{secrets.token_hex(3)}"
    kubectl = Kubectl(Path(cluster.kubeconfig), name)
    kubectl.apply_crd()
    kubectl.create_namespace()
    rights.grant(kubectl)
    postgres_server.execute(f'CREATE DATABASE "{name}"')
    migrate.upgrade(postgres_server.url(name))
    folder = tmp_path_factory.mktemp("servers")
    rotation.create_first(folder / "keys")
    redis_folder = tmp_path_factory.mktemp("redis")
    redis = RedisServer(redis_folder)
    redis.start()
    stage = Stage(cluster, kubectl, redis, folder, postgres_server.url(name))
    try:
        yield stage
    finally:
        stage.stop()
        redis.stop()
        rights.revoke(kubectl)
        kubectl.run("delete", "namespace", name, "--wait=false")
