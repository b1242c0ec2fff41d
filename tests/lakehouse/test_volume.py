"""What counts as a new file of a volume."""

from __future__ import annotations

from pathlib import Path

from casper_ray.lakehouse.volume import VolumeFile, new_files


def test_files_come_by_name_with_their_sizes(tmp_path: Path) -> None:
    for name, data in (("b.json", b"12"), ("a.json", b"1"), ("c.json", b"")):
        (tmp_path / name).write_bytes(data)
    assert new_files(tmp_path, set()) == [
        VolumeFile("a.json", 1),
        VolumeFile("b.json", 2),
        VolumeFile("c.json", 0),
    ]


def test_a_file_that_was_seen_is_not_new_even_if_it_grew(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b"1")
    (tmp_path / "b.json").write_bytes(b"2")
    assert new_files(tmp_path, {"a.json", "gone.json"}) == [VolumeFile("b.json", 1)]


def test_files_that_are_being_written_and_other_things_are_left_alone(tmp_path: Path) -> None:
    for name in (".a.json", "_a.json", "a.json.tmp", "a.JSON", "a.txt", ".a.json.77.part"):
        (tmp_path / name).touch()
    (tmp_path / "folder.json").mkdir()
    assert new_files(tmp_path, set()) == []


def test_a_link_counts_as_the_file_it_leads_to(tmp_path: Path) -> None:
    volume = tmp_path / "volume"
    volume.mkdir()
    (tmp_path / "elsewhere").write_bytes(b"123")
    (volume / "a.json").symlink_to(tmp_path / "elsewhere")
    (volume / "b.json").symlink_to(tmp_path / "nowhere")
    assert new_files(volume, set()) == [VolumeFile("a.json", 3)]


def test_a_volume_that_is_not_there_yet_is_empty(tmp_path: Path) -> None:
    assert new_files(tmp_path / "nowhere", set()) == []
