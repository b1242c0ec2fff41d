"""Where versions, runs and traces are kept: MLflow, on a SQLite file of the lake's own or on a server."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from casper_ray.config import prepare_mlflow
from casper_ray.errors import UserError
from casper_ray.lakehouse.lease import held_lease

if TYPE_CHECKING:
    from mlflow import MlflowClient

_FOLDER, _DATABASE, _ARTIFACTS = "_mlflow", "mlflow.db", "artifacts"
_LONGEST_CHARS = 200
_SECRET = re.compile(r"//[^/@\s]*@")
"""Who asks, and the password, in an address."""


class TrackingError(UserError):
    """MLflow that cannot be reached or used. Decisions do not depend on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracking:
    """MLflow, opened. artifacts: where the experiments' files go; None: where the server says.

    lake_key: tells lakes that share a server apart; a digest, no path.
    """

    client: MlflowClient
    artifacts: Path | None
    lake_key: str

    def experiment(self, agent: str) -> str:
        """The id of the agent's experiment, made if need be."""
        name = f"agents/{agent}"
        found = self.client.get_experiment_by_name(name)
        if found is not None:
            return str(found.experiment_id)
        place = None if self.artifacts is None else (self.artifacts / agent).as_uri()
        return str(self.client.create_experiment(name, artifact_location=place))


@contextmanager
def open_tracking(lake: Path, uri: str | None) -> Iterator[Tracking]:
    """MLflow for the block: at `uri`; None: in the lake's own folder, made if need be.

    Sets MLflow's addresses for the whole process (its files and traces know no other way), so one at
    a time; of the lake's own by a lease.
    Raises: LeaseHeldError; TrackingError for whatever MLflow cannot do, in one line.
    """
    prepare_mlflow()
    from mlflow import MlflowClient, set_registry_uri, set_tracking_uri, tracing
    from mlflow.exceptions import MlflowException
    from requests.exceptions import RequestException
    from sqlalchemy.exc import SQLAlchemyError

    logging.getLogger("mlflow").setLevel(logging.ERROR)  # it tells of each table that it makes
    folder = lake / _FOLDER
    with ExitStack() as held:
        if uri is None:
            folder.mkdir(parents=True, exist_ok=True)
            held.enter_context(held_lease(folder / "writer.lease", f"MLflow of lake {lake}"))
        try:
            address = uri or f"sqlite:///{folder / _DATABASE}"
            set_tracking_uri(address)
            set_registry_uri(address)
            tracing.reset()  # type: ignore[no-untyped-call] # or spans go where the process opened MLflow first
            yield Tracking(
                client=MlflowClient(address, address),
                artifacts=None if uri else folder / _ARTIFACTS,
                lake_key=hashlib.sha256(str(lake).encode()).hexdigest()[:16],
            )
        except (MlflowException, RequestException, SQLAlchemyError) as error:
            told = (str(error).splitlines() or [type(error).__name__])[0]
            told = _SECRET.sub("//", told)[:_LONGEST_CHARS]
            raise TrackingError(
                f"MLflow: {told}",
                "set MLFLOW_TRACKING_URI to a server that answers, or unset it; decisions go on",
            ) from error
