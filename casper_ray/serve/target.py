"""What `casper serve -t NAME` serves: a file of Ray Serve's own schema, ours checked first and to the last key."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field

from casper_ray.config_files import checked, configs_dir, load_mapping
from casper_ray.errors import ConfigError
from casper_ray.lakehouse.names import local_folder
from casper_ray.serve.settings import ServeSettings
from casper_ray.spec import Spec

IMPORT_PATH: Final = "casper_ray.serve.application:build"
_DIGEST_CHARS = 12


_File = Annotated[Path, AfterValidator(lambda path: path.expanduser().absolute())]


class HttpOptions(Spec):
    """Where the door is, as Ray Serve's `http_options` says it. Port 0 is refused: a URL has to be known."""

    host: str = Field(default="127.0.0.1", min_length=1)
    port: int = Field(default=8000, ge=1, le=65_535)
    root_path: str = ""
    request_timeout_s: float | None = Field(default=None, gt=0)
    keep_alive_timeout_s: int = Field(default=90, ge=1)
    ssl_keyfile: _File | None = None
    ssl_certfile: _File | None = None
    ssl_keyfile_password: None = None  # a password in a file of settings is a secret in clear


class _Application(Spec):
    name: str = Field(default="casper", min_length=1)
    route_prefix: Literal["/"] = "/"  # clients of OpenAI's protocol count on /v1
    import_path: Literal["casper_ray.serve.application:build"]
    args: Mapping[str, Any] = Field(default_factory=dict)


class TargetFile(Spec):
    """The part of Ray Serve's schema that is used: `serve deploy` takes the same file."""

    proxy_location: Literal["HeadOnly", "EveryNode"] = "HeadOnly"
    http_options: HttpOptions = HttpOptions()
    controller_options: Mapping[str, Any] = Field(default_factory=dict)
    logging_config: Mapping[str, Any] = Field(default_factory=dict)
    applications: Annotated[tuple[_Application, ...], Field(min_length=1, max_length=1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A file that fits, with what the command line said put in. where: names it in errors and status."""

    where: str
    file: TargetFile
    settings: ServeSettings

    @property
    def name(self) -> str:
        """Of the application in Ray Serve."""
        return self.file.applications[0].name

    @property
    def http(self) -> HttpOptions:
        return self.file.http_options

    @property
    def tls(self) -> bool:
        return self.http.ssl_certfile is not None

    @property
    def url(self) -> str:
        """Where a browser on this machine finds it."""
        host = "127.0.0.1" if self.http.host in ("0.0.0.0", "::") else self.http.host  # noqa: S104
        shown = f"[{host}]" if ":" in host else host
        return f"{'https' if self.tls else 'http'}://{shown}:{self.http.port}"

    @property
    def digest(self) -> str:
        """Of all of it: the same digits are the same configuration."""
        parts = [self.file.model_dump(mode="json"), self.settings.model_dump(mode="json")]
        text = json.dumps(parts, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:_DIGEST_CHARS]


def load_target(named: str, *, lake: str | None = None, port: int | None = None) -> Target:
    """The target of a name in configs/serve, or of a file's path. lake, port: in place of the file's.

    Rules:  the lake is absolute then: replicas have folders of their own.
    Raises: ConfigError, LakeError: one line, of the first thing that cannot be used.
    """
    path = _path(named)
    file = checked(TargetFile, load_mapping(path), str(path))
    settings = checked(ServeSettings, dict(file.applications[0].args), f"{path}: applications.0.args")
    http = file.http_options
    if (http.ssl_certfile is None) != (http.ssl_keyfile is None):
        raise ConfigError(
            f"{path}: http_options: ssl_certfile and ssl_keyfile go together", "give both or none"
        )
    if port is not None:
        http = checked(HttpOptions, http.model_dump() | {"port": port}, "--port")
    return Target(
        where=str(path),
        file=file.model_copy(update={"http_options": http}),
        settings=settings.model_copy(update={"lake": str(local_folder(lake or settings.lake))}),
    )


def _path(named: str) -> Path:
    """Raises: ConfigError, naming the targets that there are."""
    folder = configs_dir() / "serve"
    is_file = named.endswith((".yml", ".yaml"))
    path = Path(named).expanduser() if is_file else folder / f"{named}.yml"
    if not path.is_file() or ("/" in named and not is_file):
        known = sorted(file.stem for file in folder.glob("*.yml"))
        raise ConfigError(
            f"target {named!r}: there is none", f"targets are {known}, or the path of a .yml file"
        )
    return path
