"""A larger network: its weights from torch's file, and a smaller one that learns from it."""

import io
import json
import pickle
import sys
from collections import OrderedDict
from pathlib import Path
from types import ModuleType

import keras
import numpy as np
import pytest

from model.artifact import METADATA_FILE
from tests.tiny_training import FROZEN, command, eagerly, tiny_features, tiny_network, tiny_sampler, write_photos
from training import train
from training.efficientnet_lite import efficientnet_lite2
from training.errors import TrainingError
from training.network import LAST_FROZEN, build_network, frozen_part, learning_part
from training.sampler import mix
from training.stages import Stage, run_stage
from training.teacher import SHARE, Teacher, read_teacher
from training.torch_file import read_arrays

_eagerly = pytest.fixture(autouse=True)(eagerly)
PICTURES = np.random.default_rng(3).integers(0, 256, (40, 16, 16, 3), np.uint8)


class Tensor:
    """Pickles itself as torch's tensors do."""

    def __init__(self, shape: tuple[int, ...], strides: tuple[int, ...], offset: int = 0) -> None:
        self.view = offset, shape, strides

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        torch = sys.modules["torch"]
        storage = ("storage", torch.FloatStorage, "0", "cpu", 6, None)
        return sys.modules["torch._utils"]._rebuild_tensor_v2, (storage, *self.view, False, OrderedDict())


class Writer(pickle.Pickler):
    def persistent_id(self, thing: object) -> object:
        return thing if isinstance(thing, tuple) and thing[:1] == ("storage",) else None


@pytest.fixture
def torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """As much of torch as it takes to write its files."""
    torch, utils = ModuleType("torch"), ModuleType("torch._utils")
    torch.FloatStorage = type("FloatStorage", (), {"__module__": "torch"})

    def _rebuild_tensor_v2() -> None: ...

    _rebuild_tensor_v2.__module__, _rebuild_tensor_v2.__qualname__ = "torch._utils", "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2 = _rebuild_tensor_v2
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "torch._utils", utils)


def torch_file(content: object) -> io.BytesIO:
    """What torch.save wrote before 1.6, with one storage of the numbers 0 to 5."""
    handle = io.BytesIO()
    for part in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}):
        pickle.dump(part, handle, 2)
    Writer(handle, 2).dump(content)
    pickle.dump(["0"], handle, 2)
    handle.write(np.int64(6).tobytes() + np.arange(6, dtype=np.float32).tobytes())
    handle.seek(0)
    return handle


@pytest.mark.usefixtures("torch")
class TestTorchFile:
    def test_views_are_read_as_they_lie(self) -> None:
        content = OrderedDict(plain=Tensor((2, 3), (3, 1)), turned=Tensor((3, 2), (1, 3)), part=Tensor((2,), (1,), 4))
        arrays = read_arrays(torch_file(content))
        np.testing.assert_array_equal(arrays["plain"], [[0, 1, 2], [3, 4, 5]])
        np.testing.assert_array_equal(arrays["turned"], [[0, 3], [1, 4], [2, 5]])
        np.testing.assert_array_equal(arrays["part"], [4, 5])

    def test_nothing_but_tensors_is_unpickled(self) -> None:
        with pytest.raises(pickle.UnpicklingError, match=r"print is no tensor"):
            read_arrays(torch_file({"weight": print}))

    @pytest.mark.parametrize("view", [((2, 3), (4, 1)), ((7,), (1,)), ((2,), (-1,)), ((2,), (1,), -1), ((1,), (1,), 6)])
    def test_a_view_beyond_its_storage_is_refused(self, view: tuple) -> None:
        with pytest.raises(pickle.UnpicklingError, match="beyond its storage"):
            read_arrays(torch_file({"weight": Tensor(*view)}))

    def test_a_file_that_ends_too_soon_is_refused(self) -> None:
        whole = torch_file({"weight": Tensor((6,), (1,))}).getvalue()
        with pytest.raises((EOFError, ValueError, pickle.UnpicklingError)):
            read_arrays(io.BytesIO(whole[:-4]))


class TestEfficientNetLite2:
    def test_gives_the_features_that_torch_does(self) -> None:
        # Pooled features of this picture by the package efficientnet-lite-pytorch 0.1.0 and torch 2.13, at its own size
        y, x = np.mgrid[0:260, 0:260].astype(np.float32) / 259
        picture = np.stack([x * 2 - 1, y * 2 - 1, np.sin(20 * (x + y))], axis=-1)[None]
        network = efficientnet_lite2(260, "imagenet", "backbone")
        pooled = np.asarray(network(picture, training=False)).mean(axis=(1, 2))[0]
        assert pooled.shape == (1280,)
        np.testing.assert_allclose(pooled[:8], [0, 0.63668, 1.01287, 0, 0, 0.49975, 0, 0.00383], atol=1e-4)
        assert pooled.mean() == pytest.approx(0.15550, abs=1e-5)
        assert pooled.std() == pytest.approx(0.44104, abs=1e-5)

    def test_its_two_parts_compute_the_same(self) -> None:
        network = build_network(3, 64, weights=None, kind="efficientnet_lite2")
        last = LAST_FROZEN["efficientnet_lite2"]
        pixels = np.random.default_rng(0).uniform(0, 255, (2, 64, 64, 3)).astype(np.float32)
        parts = learning_part(network, last)(frozen_part(network, last)(pixels), training=False)
        np.testing.assert_allclose(np.asarray(parts), np.asarray(network(pixels, training=False)), rtol=1e-3, atol=1e-4)

    def test_another_file_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "other.pth").write_bytes(b"no weights")
        with pytest.raises(TrainingError, match=r"other\.pth: does not hold EfficientNet-Lite2's weights"):
            build_network(3, 64, tmp_path / "other.pth", "efficientnet_lite2")


class TestTeacher:
    def test_says_what_its_network_does_and_tells_features_in_deviations(self) -> None:
        network = tiny_network()
        teacher = Teacher(network, tiny_network(), PICTURES)
        probabilities, features = teacher(PICTURES)
        logits = network(PICTURES.astype(np.float32), training=False)
        np.testing.assert_allclose(probabilities, keras.ops.softmax(logits), atol=1e-4)
        np.testing.assert_allclose(features.mean(axis=0), 0, atol=1e-3)
        assert features.shape == (40, teacher.width) == (40, 4)
        assert features.std(axis=0).max() == pytest.approx(1, abs=1e-3)

    def test_has_its_share_of_the_targets(self) -> None:
        network, sampler = tiny_network(), tiny_sampler()
        features, teacher = tiny_features(network), Teacher(tiny_network(), network, PICTURES)
        (found, wanted), targets = next(iter(sampler.dataset(features, teacher)))
        pictures, labels, rng = sampler.batch(0)
        expected, (probabilities, deviations) = features(pictures), teacher(pictures)
        told = np.concatenate([labels * (1 - SHARE) + probabilities * SHARE, deviations], axis=1)
        mix(expected, told, rng)
        np.testing.assert_array_equal(np.asarray(found), expected)
        np.testing.assert_array_equal(np.asarray(targets), told[:, :4])
        np.testing.assert_array_equal(np.asarray(wanted), told[:, 4:])
        np.testing.assert_allclose(np.asarray(targets).sum(axis=1), 1, atol=1e-5)

    def test_is_imitated(self, tmp_path: Path) -> None:
        network = tiny_network()
        features, teacher = tiny_features(network), Teacher(tiny_network(), network, PICTURES)
        found, wanted = features(PICTURES), teacher(PICTURES)[1]
        kernel = np.asarray(teacher.imitation.map.kernel)
        assert not kernel.any()
        # Labels of nothing, so that a lower loss can only come from features that are more alike
        losses: list[float] = []
        twin = learning_part(network, FROZEN, imitation=teacher.imitation)
        twin.compile(optimizer=keras.optimizers.Adam(1e-2), loss=lambda labels, logits: 0.0 * keras.ops.sum(logits))
        for _ in range(60):
            losses.append(twin.train_on_batch([found, wanted], np.zeros((40, 4), np.float32)))
        assert losses[-1] < 0.8 * losses[0]
        assert np.asarray(teacher.imitation.map.kernel).any()

        before = network.get_weights()
        run_stage(
            Stage("s", 2, 1e-2, averaged=1), network, tiny_sampler(), features, ((found, wanted), np.arange(40) % 3),
            tmp_path, last=FROZEN, teacher=teacher,
        )  # fmt: skip
        assert len(network.get_weights()) == len(before)
        assert any(not np.array_equal(a, b) for a, b in zip(before, network.get_weights(), strict=True))

    def test_another_size_or_number_of_labels_is_refused(self, tmp_path: Path) -> None:
        tiny_network(classes=5).save(tmp_path / "network.keras")
        with pytest.raises(TrainingError, match=r"cannot teach.* 3 labels and --size 16"):
            read_teacher(tmp_path / "network.keras", tiny_network(), PICTURES)
        tiny_network(size=32).save(tmp_path / "network.keras")
        with pytest.raises(TrainingError, match="cannot teach"):
            read_teacher(tmp_path / "network.keras", tiny_network(), PICTURES)

    def test_train_command(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        photos, out = write_photos(tmp_path / "photos"), tmp_path / "out"
        build_network(4, 32, None).save(tmp_path / "network.keras")
        command(
            train, monkeypatch, "--data", photos, "--out", out, "--weights", "none", "--size", 32, "--warm-up", 1,
            "--runs", 1, "--teacher", tmp_path / "network.keras",
        )  # fmt: skip
        training = json.loads((out / METADATA_FILE).read_text())["training"]
        assert training["teacher"] == f"{tmp_path.name}/network.keras"
        assert training["backbone"] == "mobilenet_v2"
        assert "the teacher" in training["recipe"]
