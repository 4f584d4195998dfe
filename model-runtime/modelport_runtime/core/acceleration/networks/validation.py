"""Whether a network can be run in bounded time and memory, and gives what it says."""

from modelport_http.wording import counted

from modelport_runtime.core.acceleration.arrays import PlanRefused
from modelport_runtime.core.acceleration.networks import nodes, shapes
from modelport_runtime.core.acceleration.networks.shapes import Value

_MOST_ROWS = 4_096
_LONGEST_NAME = 1_000


def validate(network: nodes.Network) -> list[Value]:
    """Return the value of each input and node. Raises `PlanRefused` unless all fit each other."""
    _check_tensors(network.inputs, "input")
    _check_tensors([output.tensor for output in network.outputs], "output")
    if not network.inputs or not network.outputs:
        raise PlanRefused("a network without inputs or outputs")
    if network.most_rows is not None and network.most_rows < 1:
        raise PlanRefused("a network that takes no row")
    values = values_of(network)
    for output in network.outputs:
        _check_output(output, values)
    _check_classes(network)
    return values


def values_of(network: nodes.Network) -> list[Value]:
    """Return the value of each input and node, as long as their work is bounded. Raises `PlanRefused`."""
    if len(network.nodes) > shapes.MOST_NODES:
        raise PlanRefused(f"a network of {counted(len(network.nodes), 'node')}")
    values = [shapes.of_tensor(tensor) for tensor in network.inputs]
    work = sum(value.size for value in values)
    for node in network.nodes:
        value = shapes.after(node, values)
        values.append(value)
        work += max(value.work, value.size)
        if work > shapes.MOST_WORK:
            raise PlanRefused(f"a network of more than {counted(shapes.MOST_WORK, 'multiplication')} a row")
    return values


def _check_tensors(tensors: list[nodes.Tensor], what: str) -> None:
    names = {tensor.name for tensor in tensors}
    if len(tensors) > shapes.MOST_TENSORS or len(names) < len(tensors):
        raise PlanRefused(f"{counted(len(tensors), what)}, or two of one name")
    for tensor in tensors:
        first = tensor.shape[0] if tensor.shape else 0
        if len(tensor.name) > _LONGEST_NAME or not (first is None or 1 <= first <= _MOST_ROWS):
            raise PlanRefused(f"the {what} {tensor.name[:80]!r} has no rows, too many, or too long a name")


def _check_output(output: nodes.Output, values: list[Value]) -> None:
    if not 0 <= output.node < len(values):
        raise PlanRefused(f"an output that is not from 0 to {len(values) - 1}")
    value, declared = values[output.node], shapes.of_tensor(output.tensor)
    if not value.has_rows or (value.shape, value.dtype) != (declared.shape, declared.dtype):
        raise PlanRefused(f"the output {output.tensor.name!r} is of another shape or type than it says")


def _check_classes(network: nodes.Network) -> None:
    if network.classes == 0:
        return
    sizes = [output.tensor.shape[1:] for output in network.outputs]
    dtypes = [output.tensor.dtype for output in network.outputs]
    if sizes != [(), (network.classes,)] or dtypes != ["int64", "float32"]:
        raise PlanRefused("the outputs are no label and probabilities of so many classes")
