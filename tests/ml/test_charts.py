"""Charts are well-formed SVG that says what it shows, whatever the names in it."""

from xml.etree import ElementTree

import pytest

from ml import charts
from ml.attribution.sankey import sankey

ODD = 'a<b>&"c" \u2028'
PICTURES = {
    "bars": charts.bars("t", {ODD: [(ODD, 3.0), ("b", 1_500.0)], "n": []}),
    "ranking": charts.ranking(ODD, [(ODD, 0.5), ("worse", -0.1)]),
    "histogram": charts.histogram("t", [0, 4, 1], ["0", "9 and more"]),
    "calibration": charts.calibration("t", [(0.2, 0.1, 5), (0.7, 0.9, 50)], share=True),
    "deciles": charts.calibration("t", [(0.0, 0.0, 5)]),
    "gains": charts.gains("t", [(0.0, 0.0), (0.1, 0.25), (1.0, 1.0)]),
    "sankey": sankey([(1, ODD, "x", 3, 1), (2, "x", "", 3, 1), (1, "x", "", 0, 9)]),
    "no journeys": sankey([]),
}


@pytest.mark.parametrize("name", PICTURES)
def test_it_is_svg_without_scripts_and_with_a_background_for_both_looks(name: str) -> None:
    root = ElementTree.fromstring(PICTURES[name])
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert not root.findall(".//{*}script")
    assert "prefers-color-scheme:dark" in PICTURES[name]
    assert "nan" not in PICTURES[name]
    wide, tall = float(root.attrib["width"]), float(root.attrib["height"])
    for text in root.iterfind(".//{*}text"):
        assert 0 <= float(text.attrib["x"]) <= wide
        assert 0 <= float(text.attrib["y"]) <= tall


def test_numbers_are_written_out() -> None:
    assert "top 10 %: 25%, a lift of 2.5" in PICTURES["gains"]
    assert "converted 3 (23.1%)" in PICTURES["sankey"]
    assert "did not 10 (76.9%)" in PICTURES["sankey"]
    assert "50 people" in PICTURES["calibration"]


def test_rare_channels_are_drawn_as_one() -> None:
    drawn = sankey([(1, f"c{number}", "", 20 - number, 0) for number in range(12)])
    assert "c6 " in drawn
    assert "c7 " not in drawn
    assert "others 32%" in drawn
