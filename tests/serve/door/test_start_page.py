"""The page at the door: its own files, nothing of anybody else's, no data without a key."""

from __future__ import annotations

import re

import pytest
from open_door import OpenDoor

FILES = ["page.css", "page.js", "mark.svg"]


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> OpenDoor:
    return OpenDoor.over(tmp_path_factory.mktemp("page"))


def test_the_page_is_there_for_everybody(door: OpenDoor) -> None:
    page = door.ask("GET", "/", None)
    assert page.status_code == 200
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert [door.ask("GET", f"/static/{name}", None).status_code for name in FILES] == [200, 200, 200]


def test_the_page_runs_only_files_of_this_door(door: OpenDoor) -> None:
    page = door.ask("GET", "/", None)
    policy = page.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "script-src 'self'" in policy
    assert not re.search(r"<script(?![^>]*src=)|<style| style=| on[a-z]+=", page.text)
    assert re.findall(r'(?:src|href)="(?!/)', page.text) == []


@pytest.mark.parametrize("name", FILES)
def test_no_file_names_another_place(door: OpenDoor, name: str) -> None:
    places = re.findall(r"https?://[^\"'\s)]+", door.ask("GET", f"/static/{name}", None).text)
    assert set(places) <= {"http://www.w3.org/2000/svg"}


def test_the_script_puts_data_on_the_page_as_text(door: OpenDoor) -> None:
    script = door.ask("GET", "/static/page.js", None).text
    assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|localStorage", script)
