"""One pod: its folders, its init containers to completion, then its container for as long as it is wanted."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import structlog
from modelport_crds.names import LABEL_BATCH_VERSION
from modelport_environments.errors import EnvironmentUnavailable
from modelport_kube.kube import Object
from modelport_runtime.process.starvation import waited_with_children

from modelport_standalone.environments.images import Images
from modelport_standalone.local_cluster import tasks
from modelport_standalone.local_cluster.local_paths import UNIX, PodPaths
from modelport_standalone.local_cluster.memory_watch import MemoryWatch
from modelport_standalone.local_cluster.orphans import ChildRegister
from modelport_standalone.local_cluster.pod_state import ContainerState, PodState, now
from modelport_standalone.local_cluster.probes import Probes, Termination, Timings, restart_backoff
from modelport_standalone.local_cluster.processes import ContainerProcess, Ending
from modelport_standalone.local_cluster.version_log import VersionLog
from modelport_standalone.priority import step_back

log = structlog.get_logger(__name__)

# An init container that ends so has reported all there is (docs/contracts.md); others may do better later.
_FINAL_EXIT = 1
_CANNOT_BE_STARTED = 127
# What routes by our objects, in this process, knows of it by then.
_ROUTING_SECONDS = 0.05
# From when they have loaded: until then a busy machine would never let them begin. On a node their small CPU
# request does the same.
_NICENESS_OF_BATCH = 19


@dataclass(frozen=True)
class Machine:
    """What all pods share."""

    pods: Path
    sockets: Path
    register: ChildRegister
    timings: Timings
    images: Images


class Pod:
    """`on_change` is called after every change of `state` or `deleted_at` (RFC 3339, None while wanted)."""

    def __init__(
        self, name: str, template: Object, machine: Machine, output: VersionLog, on_change: Callable[[], None]
    ) -> None:
        spec = template["spec"]
        self.name = name
        self.template = template
        self.output = output
        self.deleted_at: str | None = None
        self._container: Object = spec["containers"][0]
        self._inits: list[Object] = spec.get("initContainers", [])
        self.state = PodState(
            [ContainerState.of(each) for each in self._inits], ContainerState.of(self._container)
        )
        self._machine = machine
        self._paths = PodPaths.plan(name, template, machine.pods, machine.sockets)
        self._process: ContainerProcess | None = None
        self._variables: Mapping[str, str] = {}
        self._on_change = on_change
        self._task = tasks.start(self._run(), f"pod {name}")

    @property
    def terminating(self) -> bool:
        return self.deleted_at is not None

    @property
    def ready(self) -> bool:
        return self.state.container.ready and not self.terminating

    async def stop(self, longest_grace: float) -> None:
        """Leave the routing, then SIGTERM, then SIGKILL after the grace; nothing of it is left behind."""
        self.deleted_at = now()
        self._on_change()
        await asyncio.sleep(_ROUTING_SECONDS)
        if self._process is not None:
            wanted_grace: float = self.template["spec"].get("terminationGracePeriodSeconds", 30)
            await self._process.stop(min(wanted_grace, longest_grace))
        self._task.cancel()
        await asyncio.wait([self._task])
        await asyncio.to_thread(self._paths.remove)

    async def _run(self) -> None:
        try:
            await asyncio.to_thread(self._paths.make, self.template)
            self._variables = await self._pull()
            for container, state in zip(self._inits, self.state.inits, strict=True):
                await self._complete(container, state)
            await self._keep_running()
        except OSError as error:
            # A full disk, no process left: this pod stays down and reports why, the others go on.
            log.error("pod_cannot_run", pod=self.name, error=repr(error))
            self._end(self.state.container, Ending(_CANNOT_BE_STARTED, None, str(error)))
        finally:
            if self._process is not None:
                await self._reap(self._process)

    async def _pull(self) -> Mapping[str, str]:
        """Return the variables that its image sets, once it is there."""
        image, images = self._container.get("image", ""), self._machine.images
        variables = images.variables_of(image)
        backoff = restart_backoff(self._machine.timings)
        while variables is None:
            self._wait_for_image("PreparingEnvironment", "")
            try:
                await images.pull(image)
            except EnvironmentUnavailable as error:
                self.output.note(str(error))
                self._wait_for_image("ErrImagePull", str(error))
                await asyncio.sleep(backoff.next_delay())
            variables = images.variables_of(image)
        return variables

    def _wait_for_image(self, reason: str, message: str) -> None:
        for state in (*self.state.inits, self.state.container):
            state.current = {"waiting": {"reason": reason, "message": message}}
        self._on_change()

    async def _reap(self, process: ContainerProcess) -> None:
        """The platform stops while the process is still there."""
        await process.stop(0)
        await process.wait()

    async def _complete(self, container: Object, state: ContainerState) -> None:
        backoff = restart_backoff(self._machine.timings)
        while True:
            ending = await self._run_once(container, state)
            if ending.code == 0:
                return
            if ending.code == _FINAL_EXIT:
                await asyncio.Event().wait()
            await asyncio.sleep(backoff.next_delay())

    async def _run_once(self, container: Object, state: ContainerState) -> Ending:
        process = await self._start(container, state)
        ending = await process.wait()
        self._process = None
        self._end(state, ending)
        return ending

    async def _keep_running(self) -> None:
        backoff = restart_backoff(self._machine.timings)
        while True:
            began_well = await self._serve()
            if began_well:
                backoff.reset()
            delay = backoff.next_delay()
            self.output.note(f"starting again in {delay:.1f} s")
            await asyncio.sleep(delay)

    async def _serve(self) -> bool:
        """Run the container until it ends. True: it ran well, so its end counts as the first."""
        state, socket = self.state.container, self._paths.socket_of(self._container)
        # The socket of a process that was killed would let a connection in before the next one listens.
        if socket is not None:
            await asyncio.to_thread(Path(socket).unlink, missing_ok=True)
            self.state.address = f"{UNIX}{socket}"
        process = await self._start(self._container, state)
        began = time.monotonic()
        termination, ending = await self._supervise(process, socket)
        self._process = None
        self._end(state, ending, termination)
        return time.monotonic() - began >= self._machine.timings.ran_well

    async def _supervise(
        self, process: ContainerProcess, socket: str | None
    ) -> tuple[Termination | None, Ending]:
        ended = asyncio.create_task(process.wait())
        watching = {
            asyncio.create_task(self._probes(process, socket).run()),
            asyncio.create_task(MemoryWatch(self._container, process.pid).run()),
        }
        try:
            await asyncio.wait({ended, *watching}, return_when=asyncio.FIRST_COMPLETED)
            termination = next((watch.result() for watch in watching if watch.done()), None)
            if termination is not None:
                self.output.note(f"killed: {termination.reason}: {termination.message}")
                await process.stop(0)
            return termination, await ended
        finally:
            for task in (*watching, ended):
                task.cancel()

    def _probes(self, process: ContainerProcess, socket: str | None) -> Probes:
        async def step_behind_others() -> None:
            if niceness := _niceness(self.template):
                await step_back(process.pid, niceness)

        return Probes(
            self._container,
            socket,
            self._machine.timings,
            waited=partial(waited_with_children, process.pid),
            on_start=step_behind_others,
            on_change=self._probed,
        )

    async def _start(self, container: Object, state: ContainerState) -> ContainerProcess:
        self._process = await ContainerProcess.start(
            container, self._variables, self._paths, self.output, self._machine.register
        )
        state.begin()
        self._on_change()
        return self._process

    def _end(self, state: ContainerState, ending: Ending, termination: Termination | None = None) -> None:
        if termination is None:
            state.end(ending, None, ending.last_line)
        else:
            state.end(ending, termination.reason, termination.message)
        if ending.code:
            self.output.note(
                f"{state.name} ended: {termination.reason if termination else f'exit code {ending.code}'}"
            )
        self._on_change()

    def _probed(self, started: bool, ready: bool) -> None:
        state = self.state.container
        if (state.started, state.ready) != (started, ready):
            state.started, state.ready = started, ready
            self._on_change()


def _niceness(template: Object) -> int:
    labels = template.get("metadata", {}).get("labels", {})
    return _NICENESS_OF_BATCH if LABEL_BATCH_VERSION in labels else 0
