"""Train the network that reads digits at the beginning: `python source/workshop/author/reader.py` writes reader.npz.

It is the notebook's own: 64 inputs, 32 hidden units with ReLU, 10 outputs, mean squared error, plain gradient descent.
Beside the pictures for training it is shown DRAWINGS, as text has strokes that no pen makes: a 4 of right angles.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(FOLDER.parents[1]), str(FOLDER)]

from workshop.reader import drawn_in, prepared, split  # noqa: E402

FILE = FOLDER / "data" / "reader.npz"
HIDDEN, EPOCHS, BATCH, RATE, SEED = 32, 60, 32, 1.0, 2
DRAWINGS = """
..###... ...#.... ..####.. .#####.. .....#.. .######. ...##... .######. ..####.. ..####..
.#...#.. ..##.... .#....#. ......#. ....##.. .#...... ..#..... ......#. .#....#. .#....#.
.#...#.. .#.#.... ......#. ......#. ...#.#.. .#...... .#...... .....#.. .#....#. .#....#.
.#...#.. ...#.... .....#.. ..####.. ..#..#.. .#####.. .#.###.. .....#.. ..####.. ..#####.
.#...#.. ...#.... ....#... ......#. .######. ......#. .##...#. ....#... .#....#. ......#.
.#...#.. ...#.... ...#.... ......#. .....#.. ......#. .#....#. ....#... .#....#. ......#.
.#...#.. ...#.... ..#..... ......#. .....#.. .#....#. .#....#. ...#.... .#....#. .....#..
..###... .#####.. .######. .#####.. .....#.. ..####.. ..####.. ...#.... ..####.. ..###...

..####.. ...##... .#####.. .#####.. ....##.. #######. ..####.. #######. .#####.. .#####..
.##..##. ..###... ##...##. ##...##. ...###.. ##...... .##..... .....##. ##...##. ##...##.
##....## .####... .....##. .....##. ..####.. ##...... ##...... ....##.. ##...##. ##...##.
##....## ...##... ....##.. ..####.. .##.##.. ######.. ######.. ....##.. .#####.. .######.
##....## ...##... ...##... .....##. ##..##.. .....##. ##...##. ...##... ##...##. .....##.
##....## ...##... ..##.... .....##. #######. .....##. ##...##. ...##... ##...##. .....##.
.##..##. ...##... .##..... ##...##. ....##.. ##...##. ##...##. ..##.... ##...##. ....##..
..####.. .######. #######. .#####.. ....##.. .#####.. .#####.. ..##.... .#####.. .####...

........ ........ ........ ........ ........ ........ ........ ........ ........ ........
..+##+.. ....#... ..###... .###.... .#..#... ..####.. ...##... ..####.. ..+##+.. ..+##+..
..#..#.. ....#... .....#.. ....#... .#..#... ..#..... ..#..... .....#.. ..#..#.. ..#..#..
..#..#.. ....#... ....#... ..##.... .####... ..###... ..###... ....#... ..+##+.. ..+###..
..#..#.. ....#... ...#.... ....#... ....#... .....#.. ..#..#.. ...#.... ..#..#.. .....#..
..+##+.. ....#... ..####.. .###.... ....#... ..###... ...##... ...#.... ..+##+.. ..###...
........ ....#... ........ ........ ........ ........ ........ ........ ........ ........
........ ........ ........ ........ ........ ........ ........ ........ ........ ........

........ ....#... .###.... ######.. #...#... ..#####. ....##.. ######## ...##... ...###..
..####.. ....#... #...#... .....#.. #...#... ..#..... ...#.... .......# ..#..#.. ..#..#..
.#....#. ....#... ....#... ....#... #...#... ..#..... ..#..... ......#. ..#..#.. ..#..#..
.#....#. ....#... ....#... ..###... #####... ..####.. ..#..... .....#.. ...##... ...###..
.#....#. ....#... ...#.... .....#.. ....#... ......#. ..####.. ..#####. ..#..#.. .....#..
.#....#. ....#... ..#..... .....#.. ....#... ......#. ..#...#. ....#... .#....#. .....#..
..####.. ....#... .#...... #....#.. ....#... ......#. ..#...#. ...#.... .#....#. .....#..
........ ....#... #####... .####... ....#... ..####.. ...###.. ..#..... ..####.. .....#..
"""


def drawings(text: str) -> list[tuple[int, str]]:
    """Digits and their drawings: each block has those of 0 to 9, side by side."""
    blocks = [[line.split(" ") for line in block.split("\n")] for block in text.strip("\n").split("\n\n")]
    return [(digit, "\n".join(line[digit] for line in block)) for block in blocks for digit in range(10)]


def trained(seed: int = SEED) -> dict[str, np.ndarray]:
    """The four parameters, in float32."""
    drawn = [(digit, prepared(drawn_in(text))) for digit, text in drawings(DRAWINGS)]
    with np.load(FOLDER / "data" / "digits.npz") as digits:
        images, labels = digits["images"].reshape(-1, 64) / 16, digits["labels"]
    chosen, _ = split(len(labels))
    images = np.concatenate([images[chosen], *(ways.reshape(-1, 64) for _, ways in drawn)])
    targets = np.eye(10)[[*labels[chosen], *(digit for digit, ways in drawn for _ in ways)]]
    rng = np.random.default_rng(seed)
    weight1, weight2 = (rng.uniform(-1 / np.sqrt(n), 1 / np.sqrt(n), (n, m)) for n, m in ((64, HIDDEN), (HIDDEN, 10)))
    bias1, bias2 = np.zeros(HIDDEN), np.zeros(10)
    for _ in range(EPOCHS):
        order = rng.permutation(len(images))
        for start in range(0, len(order), BATCH):
            x, target = (each[order[start : start + BATCH]] for each in (images, targets))
            before = x @ weight1 + bias1
            hidden = np.maximum(before, 0)
            gradient = 2 / target.size * (hidden @ weight2 + bias2 - target)
            below = gradient @ weight2.T * (before > 0)
            for parameter, own in (
                (weight2, hidden.T @ gradient),
                (bias2, gradient.sum(axis=0)),
                (weight1, x.T @ below),
                (bias1, below.sum(axis=0)),
            ):
                parameter -= RATE * own
    found = {"weight1": weight1, "bias1": bias1, "weight2": weight2, "bias2": bias2}
    return {name: array.astype(np.float32) for name, array in found.items()}


if __name__ == "__main__":
    np.savez(FILE, **trained())
