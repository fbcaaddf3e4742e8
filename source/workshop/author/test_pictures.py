"""Pictures and toys that the notebook calls: what they show and say, of right, half-written and wrong work."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from typing import Any

import numpy as np
import pytest
import reader as training
from answers import the_reference  # noqa: F401 - a fixture

import tests
from checks import svg
from workshop import reader

# The first ten fill the picture, the next ten are drawn in its middle, the last ten are small and in a corner.
DRAWN = """
...##... ...##... .+###+.. .####... #....#.. .######. ....#... ######.. .+###+.. ..####..
..#..#.. ..###... #....#.. ....##.. #....#.. #....... ..##.... .....#.. .#...#.. .#...##.
.#....#. .#.##... .....#.. ....#... #....#.. #....... .#...... ....##.. .#...#.. .#....#.
.#....#. ...##... .....#.. .###.... #######. #####... #....... ....#... ..###... ..#####.
.#....#. ...##... ....#... ....##.. .....#.. .....#.. ######.. ..####.. .#...#.. ......#.
.#....#. ...##... ...#.... .....#.. .....#.. ......#. #.....#. ...#.... #.....#. .....##.
..#..#.. ...##... ..#..... ....##.. .....#.. .#...#.. #.....#. ..##.... #.....#. ....##..
...##... ...##... .######. #####... .....#.. ..###... .#####.. ..#..... .#####.. ..##....

........ ........ ........ ........ ........ ........ ........ ........ ........ ........
..+##+.. ....##.. ..+##+.. ..+###.. ...+#... ..#####. ...+#... .######. ..+##+.. ..+###..
.##..##. ...+##.. .##..##. .....##. ..+##... ..##.... ..##.... .....##. .##..##. .##..##.
.##..##. ....##.. ....+##. ...###.. .+#.##.. ..####.. .#####.. ....##.. ..####.. .##..##.
.##..##. ....##.. ...+#... .....##. .######. .....##. .##..##. ...##... .##..##. ..+####.
..+##+.. ....##.. .######. .+###+.. ....##.. ..####.. ..+##+.. ...##... ..+##+.. ...+##..
........ ........ ........ ........ ........ ........ ........ ........ ........ ........
........ ........ ........ ........ ........ ........ ........ ........ ........ ........

.###.... #....... ###..... .##..... #.#..... ####.... .##..... ####.... .##..... .###....
#...#... #....... ...#.... #..#.... #.#..... #....... #....... ...#.... #..#.... #..#....
#...#... #....... ...#.... ...#.... #.#..... ###..... #....... ..#..... #..#.... #..#....
#...#... #....... ..#..... .##..... ####.... ...#.... ###..... ..#..... .##..... .###....
#...#... #....... .#...... ...#.... ..#..... ...#.... #..#.... .#...... #..#.... ...#....
.###.... #....... ####.... ###..... ..#..... ###..... .##..... .#...... .##..... .##.....
"""


@pytest.fixture
def shown(monkeypatch) -> list[dict[str, Any]]:
    """What is displayed."""
    forms: list[dict[str, Any]] = []
    for module in (svg, reader):
        monkeypatch.setattr(module, "show", forms.append)
    return forms


def fit_for_every_front_end(forms: dict[str, Any]) -> None:
    """No scripts, the colors of the page, a description of each picture, all words in the text, too."""
    page, text = forms["text/html"], forms["text/plain"]
    assert len(text) > 60
    assert not re.search(r"(?i)<script|\son\w+=|javascript:|@import|https?://(?!www.w3.org/2000/svg)", page)
    assert "var(--vscode-foreground, var(--jp-content-font-color1, currentColor))" in page
    found = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    assert found
    for each in found:
        picture = ET.fromstring(each)
        assert picture.get("role") == "img" and len(picture.get("aria-label")) > 20
        wide, tall = float(picture.get("width")), float(picture.get("height"))
        assert wide <= 780
        for element in picture.iter():
            for name, most in (("x", wide), ("cx", wide), ("y", tall), ("cy", tall)):
                assert -1 <= float(element.get(name, 0)) <= most + 1, element.attrib


# ---------------------------------------------------------------- a digit is read


def test_the_trained_network_is_in_sync_and_reads_what_it_has_not_seen():
    with np.load(training.FILE) as kept:
        again = training.trained()
        assert {*kept} == {*again}
        assert all(np.allclose(kept[name], again[name], atol=1e-3) for name in again)
    right = sum(reader.scores_of(picture)[0].argmax() == digit for picture, digit in map(reader.held_out, range(360)))
    assert right >= 0.95 * 360


def test_it_reads_drawings_that_it_was_not_shown():
    read = [
        (digit, reader.scores_of(reader.prepared(reader.drawn_in(text))).mean(axis=0).argmax())
        for digit, text in training.drawings(DRAWN)
    ]
    right = [digit == answer for digit, answer in read]
    assert sum(right[:10]) >= 9 and sum(right) >= 26 and len(right) == 30


@pytest.mark.parametrize(
    "change",
    [
        str.strip,
        lambda text: text.replace(".", " "),
        lambda text: f"\n\n{text}\n  \n",
        lambda text: "".join(f"\n        {line}" for line in text.split("\n")),
    ],
)
def test_a_drawing_may_be_indented_and_have_spaces_for_paper(change):
    assert (reader.drawn_in(change(reader.EXAMPLE)) > 0).sum() == 16
    assert reader.scores_of(reader.prepared(reader.drawn_in(change(reader.EXAMPLE)))).mean(axis=0).argmax() == 2


def test_a_digit_is_shown_with_its_scores_and_the_answer_in_words(shown):
    tests.read_digit()
    forms = shown.pop()
    fit_for_every_front_end(forms)
    assert forms["text/plain"].endswith("The network reads a 2.") and "The network reads a 2." in forms["text/html"]
    assert forms["text/html"].count("<svg") == 3
    tests.read_digit(np.int64(7))
    forms = shown.pop()
    fit_for_every_front_end(forms)
    assert "Held-out picture 7" in forms["text/html"] and "reads a 5. Right: it is a 5." in forms["text/plain"]
    said = [tests.read_digit(number) or shown.pop()["text/plain"] for number in range(360)]
    assert 1 <= sum(". Wrong: it is a " in text for text in said) <= 18
    assert any("but it could be a" in text for text in said)


@pytest.mark.parametrize(
    ("picture", "says"),
    [
        ("", "There is no ink in this drawing"),
        ("........\n" * 8, "There is no ink"),
        ("#" * 9, "This drawing has 1 lines of up to 9 characters"),
        ("#\n" * 9, "This drawing has 9 lines"),
        ("..#..\n..x..", "Line 2 of the drawing has a 'x'. Draw with # for ink"),
        ("<script>", "Line 1 of the drawing has a '<'"),
        (360, "There are 360 held-out pictures, from 0 to 359; not 360."),
        (-1, "from 0 to 359; not -1."),
        (True, "Give a drawing, as text in eight lines, or a number from 0 to 359, and not True."),
        (None, "and not None"),
        ([[1]], "and not [[1]]"),
    ],
)
def test_what_cannot_be_read_is_said_kindly(shown, picture, says):
    tests.read_digit(picture)
    forms = shown.pop()
    assert set(forms) == {"text/plain"} and says in forms["text/plain"]


def test_without_its_file_the_network_says_what_is_missing(shown, monkeypatch, tmp_path):
    monkeypatch.setattr(reader, "FOLDER", tmp_path)
    reader._file.cache_clear()
    tests.read_digit()
    assert shown.pop()["text/plain"].startswith("The file data/reader.npz is not beside tests.py")
