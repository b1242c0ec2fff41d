from __future__ import annotations

from xml.etree import ElementTree

from casper_ray.console.picture import picture
from casper_ray.console.testing import progress


def test_picture_is_an_svg_that_fetches_nothing() -> None:
    svg = picture([progress(version=5), progress(version=6)], "casper kitchen")
    ElementTree.fromstring(svg)
    assert "url(http" not in svg.replace('"', "")
    assert "@font-face" not in svg
    assert "+1,000" in svg
