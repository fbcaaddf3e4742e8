"""MNIST and FashionMNIST feed the learner's network: the notebook's own cells, on small files, without a network."""

import re
import shutil
import struct
import sys
from pathlib import Path
from types import ModuleType
from unittest import mock

import jupytext
import matplotlib.pyplot as plt
import numpy as np
import pytest

pytestmark = pytest.mark.long

REPOSITORY = Path(__file__).resolve().parents[3]
TRAINING, HELD_OUT = 96, 32


def write_idx(path: Path, array: np.ndarray) -> None:
    """Write an array of bytes in the format of the MNIST files: magic number, dimensions, elements."""
    header = struct.pack(">HBB", 0, 8, array.ndim) + struct.pack(f">{array.ndim}I", *array.shape)
    path.write_bytes(header + array.astype(np.uint8).tobytes())


def write_dataset(root: Path, name: str) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Put a small data set where torchvision looks for the unpacked files, and return it."""
    raw = root / name / "raw"
    raw.mkdir(parents=True)
    rng = np.random.default_rng(len(name))
    written = {}
    for prefix, n in (("train", TRAINING), ("t10k", HELD_OUT)):
        images = rng.integers(0, 256, (n, 28, 28), dtype=np.uint8)
        labels = rng.integers(0, 10, n, dtype=np.uint8)
        write_idx(raw / f"{prefix}-images-idx3-ubyte", images)
        write_idx(raw / f"{prefix}-labels-idx1-ubyte", labels)
        written[prefix] = images, labels
    return written


@pytest.fixture(scope="module")
def torchvision() -> ModuleType:
    """It takes seconds to import: too long for whoever only wants to know which tests there are."""
    return pytest.importorskip("torchvision")


@pytest.fixture
def cells() -> list:
    """The cells of the authored notebook, with the solutions."""
    return jupytext.read(REPOSITORY / "source" / "workshop" / "author" / "text.py", fmt="py:percent").cells


@pytest.fixture
def no_download(monkeypatch: pytest.MonkeyPatch, torchvision: ModuleType) -> None:
    """Make an attempt to download a failure."""

    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("the files are there: nothing should be downloaded")

    monkeypatch.setattr(torchvision.datasets.mnist, "download_and_extract_archive", refuse)


@pytest.mark.parametrize("download", [False, True])
@pytest.mark.parametrize("name", ["MNIST", "FashionMNIST"])
def test_load_images_gives_rows_between_0_and_1(name, download, cells, no_download, tmp_path, torchvision):
    """The function's cell stands on the set-up cell alone and keeps order, values and labels."""
    written = write_dataset(tmp_path, name)
    (cell,) = [cell for cell in cells if cell.cell_type == "code" and "def load_images" in cell.source]
    assert "torch" in cell.metadata["tags"]
    from torchvision.transforms import v2

    namespace = {"np": np, "torch": pytest.importorskip("torch"), "torchvision": torchvision, "v2": v2}
    exec(cell.source, namespace)

    for prefix, train in (("train", True), ("t10k", False)):
        dataset_class = getattr(torchvision.datasets, name)
        images, labels = namespace["load_images"](dataset_class, str(tmp_path), train=train, download=download)
        expected_images, expected_labels = written[prefix]
        assert isinstance(images, np.ndarray)
        assert images.dtype == np.float32
        np.testing.assert_allclose(images, expected_images.reshape(-1, 784) / 255, rtol=1e-6)
        np.testing.assert_array_equal(labels, expected_labels)


def test_the_markdown_example_trains_on_fashionmnist(cells, no_download, tmp_path, monkeypatch, capsys):
    """Everything before the example runs, then the example itself, in a folder that holds the files."""
    plt.switch_backend("Agg")
    monkeypatch.setattr(plt, "show", lambda: plt.close("all"))
    monkeypatch.setitem(sys.modules, "tests", mock.Mock())  # what it shows does not matter here
    monkeypatch.chdir(tmp_path)
    shutil.copytree(REPOSITORY / "data", "data")
    write_dataset(tmp_path / "datasets", "FashionMNIST")
    (position,) = [i for i, cell in enumerate(cells) if cell.cell_type == "markdown" and "load_images(" in cell.source]
    namespace: dict = {}
    for cell in cells[:position]:
        if cell.cell_type == "code" and not cell.metadata.get("nbgrader", {}).get("grade"):
            exec(cell.source, namespace)
    (example,) = re.findall(r"^```python\n(.*?)^```", cells[position].source, flags=re.MULTILINE | re.DOTALL)
    exec(example, namespace)

    assert namespace["fashion_images"].shape == (TRAINING, 784)
    assert namespace["held_out_fashion"].shape == (HELD_OUT, 784)
    assert len(namespace["fashion_losses"]) == 5
    assert namespace["fashion_losses"][-1] < namespace["fashion_losses"][0]
    assert "held-out accuracy" in capsys.readouterr().out.splitlines()[-1]
