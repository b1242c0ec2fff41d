"""`casper serve keys`, as a person meets it at the command line."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from casper_ray.lakehouse.names import Catalog, open_catalog
from casper_ray.serve import keys_command
from casper_ray.serve.access.api_keys import proves
from casper_ray.serve.access.key_file import NAME, read_keys
from casper_ray.serve.access.principal import Role


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    return open_catalog(str(tmp_path / "lake"), "caspers")


def keys(catalog: Catalog, *more: str) -> Result:
    return CliRunner().invoke(keys_command.keys_app, [*more, "--lake", str(catalog.lake)])


def test_a_key_is_made_shown_once_listed_rotated_and_revoked(catalog: Catalog) -> None:
    made = keys(catalog, "add", "till 7", "--role", "operator", "--expires", "90d")
    assert made.exit_code == 0, made.output
    key = made.stdout.splitlines()[-1].removeprefix("key, shown once: ")
    path = catalog.state / NAME
    (record,) = read_keys(path)
    assert proves(key, record.hash)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600

    listed = keys(catalog, "ls").stdout
    assert f"{record.id}  operator   live" in listed
    assert "till 7" in listed
    assert key not in listed

    rotated = keys(catalog, "rotate", record.id, "--overlap", "1h", "--json")
    assert json.loads(rotated.stdout)["key"] != key
    assert json.loads(rotated.stdout)["old_until"]

    assert "revoked" in keys(catalog, "revoke", record.id).stdout
    assert json.loads(keys(catalog, "ls", "--json").stdout)["keys"][0]["revoked"]


def test_a_lake_without_keys_says_how_one_is_made(catalog: Catalog) -> None:
    told = keys(catalog, "ls")
    assert (told.exit_code, told.stdout.startswith("no keys yet")) == (0, True)
    assert not (catalog.state / NAME).exists()


def test_the_last_admin_can_be_revoked_by_whoever_owns_the_machine(catalog: Catalog) -> None:
    made = json.loads(keys(catalog, "add", "ops", "--role", "admin", "--json").stdout)
    assert keys(catalog, "revoke", made["id"]).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("add", "a\nb", "--role", "viewer"), "name of a key: cannot be used"),
        (("add", "a", "--role", "viewer", "--expires", "soon"), "--expires: saw 'soon'"),
        (("rotate", "key-2222222222", "--overlap", "-1s"), "--overlap: saw '-1s'"),
        (("revoke", "key-2222222222"), "no key has this id"),
        (("rotate", "key-2222222222"), "no key has this id"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_line(
    catalog: Catalog, arguments: tuple[str, ...], said: str
) -> None:
    told = keys(catalog, *arguments)
    assert told.exit_code == 2
    (line,) = told.stderr.splitlines()
    assert said in line


def test_a_lake_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    told = CliRunner().invoke(keys_command.keys_app, ["ls", "--lake", str(tmp_path / "none")])
    assert told.exit_code == 2
    assert "has no catalog 'caspers'" in told.stderr
    assert not (tmp_path / "none").exists()


def test_keys_of_a_file_of_ones_own_need_no_lake(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    arguments = ["add", "a", "--role", "viewer", "--file", str(path)]
    assert CliRunner().invoke(keys_command.keys_app, arguments).exit_code == 0
    path.chmod(0o640)
    told = CliRunner().invoke(keys_command.keys_app, ["ls", "--file", str(path)])
    assert told.exit_code == 2
    assert f"`chmod 600 {path}`" in told.stderr


def test_the_commands_roles_are_the_doors() -> None:
    assert [role.value for role in keys_command._Role] == [role.value for role in Role]
