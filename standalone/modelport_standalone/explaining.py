"""What the parts raise at their start, in words that help."""

from collections.abc import Iterator
from contextlib import contextmanager

from pydantic import ValidationError

from modelport_standalone.data_dir import DataDir
from modelport_standalone.errors import CannotStart
from modelport_standalone.local_cluster.saved_models import DamagedState


@contextmanager
def explained(data: DataDir) -> Iterator[None]:
    """Turn what is wrong with the folder or the environment into `CannotStart`."""
    try:
        yield
    except DamagedState as error:
        raise CannotStart(str(error)) from error
    except ValidationError as error:
        first = error.errors()[0]
        raise CannotStart(f"The setting {first['loc'][0]} is wrong: {first['msg']}.") from error
    except OSError as error:
        raise CannotStart(f"The data folder {data.root} cannot be used: {error}.") from error
