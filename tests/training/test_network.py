"""The sampler's batches and the network."""

import keras
import numpy as np
import pytest

from tests.helpers.tiny_training import eagerly, tiny_features, tiny_network, tiny_sampler
from training.network.architecture import BACKBONE, build_network, frozen_part, learning_part
from training.network.conversion import to_litert
from training.network.features import Features
from training.network.sampler import HARD_SHARE, MIXED_SHARE, REPLACED_SHARE, Sampler, mix

_eagerly = pytest.fixture(autouse=True)(eagerly)


class TestSampler:
    def test_batches_follow_from_seed_epoch_and_number(self) -> None:
        sampler = tiny_sampler()
        first = [sampler.batch(i)[0] for i in (0, 1)]
        assert not np.array_equal(*first)
        np.testing.assert_array_equal(sampler.batch(1)[0], first[1])
        sampler.on_epoch_begin(1)
        assert not np.array_equal(sampler.batch(0)[0], first[0])
        assert not np.array_equal(tiny_sampler(seed=1).batch(0)[0], first[0])

    def test_rare_classes_are_drawn_more_often_than_they_come(self) -> None:
        labels = np.array([0] * 90 + [1] * 10)
        sampler = Sampler(
            np.zeros((100, 4, 4, 3), np.uint8), labels, np.ones(100), np.zeros((100, 4, 4), np.uint8),
            np.empty((0, 4, 4, 3), np.uint8), 2, 4, 8, (0,),
        )  # fmt: skip
        assert sampler.chance[labels == 1].sum() == pytest.approx(np.sqrt(10) / (np.sqrt(10) + np.sqrt(90)))

    def test_pipeline_gives_mixed_features_and_their_targets(self) -> None:
        features, sampler = tiny_features(tiny_network()), tiny_sampler()
        batches = list(sampler.dataset(features))
        assert len(batches) == 4  # 12 photos and a share of empty views, in fours
        found = np.concatenate([np.asarray(x) for x, _ in batches])
        targets = np.concatenate([np.asarray(y) for _, y in batches])
        assert found.shape == (16, *features.shape)
        pictures, expected, rng = sampler.batch(0)
        unmixed = features(pictures)
        mixed = unmixed.copy()
        mix(mixed, expected, rng)
        np.testing.assert_array_equal(found[:4], mixed)
        np.testing.assert_array_equal(targets[:4], expected)
        assert not np.array_equal(mixed, unmixed)
        assert targets.shape == (16, 4)
        np.testing.assert_allclose(targets.sum(axis=1), 1, atol=1e-6)

    def test_mixing_keeps_targets_in_step_with_features(self) -> None:
        # Each row's features are of its own class, so their mean says what its target must be
        targets = np.eye(8, dtype=np.float32)
        pictures = np.broadcast_to(10.0 * np.arange(8, dtype=np.float32)[:, None, None, None], (8, 20, 20, 3)).copy()
        touched = 0
        for seed in range(40):
            mixed, mixed_targets = pictures.copy(), targets.copy()
            mix(mixed, mixed_targets, np.random.default_rng(seed))
            np.testing.assert_allclose(mixed_targets.sum(axis=1), 1, atol=1e-6)
            np.testing.assert_allclose(mixed.mean(axis=(1, 2, 3)), mixed_targets @ (10.0 * np.arange(8)), atol=1e-3)
            touched += int((mixed_targets.max(axis=1) < 1).sum())
        assert 0.5 * MIXED_SHARE < touched / 320 < MIXED_SHARE

    def test_a_part_of_the_outlined_photos_loses_their_background(self) -> None:
        # A red item in the middle of a green photo: where it was put before another background, no green is left
        photo = np.zeros((1, 64, 64, 3), np.uint8)
        photo[..., 1] = 200
        photo[:, 20:44, 20:44] = (200, 0, 0)
        outline = np.zeros((1, 32, 32), np.uint8)
        outline[:, 10:22, 10:22] = 255
        scenes = np.full((1, 64, 64, 3), (0, 0, 200), np.uint8)
        sampler = Sampler(photo, np.array([0]), np.ones(1), outline, scenes, 2, 32, 4, (0,))
        replaced = 0
        for seed in range(60):
            view = sampler.item(0, np.random.default_rng(seed)).astype(int)
            green = (view[..., 1] > view[..., 0] + 30) & (view[..., 1] > view[..., 2] + 30)
            replaced += green.mean() < 0.1
        assert 0.4 < replaced / 60 / (HARD_SHARE * REPLACED_SHARE) < 2


class TestNetwork:
    def test_takes_pixels_and_gives_logits(self) -> None:
        network = build_network(5, 32, weights=None)
        pixels = np.random.default_rng(0).uniform(0, 255, (4, 32, 32, 3)).astype(np.float32)
        logits = np.asarray(network(pixels))
        assert logits.shape == (4, 5)
        assert (logits < 0).any()  # which no softmax gives

    def test_its_two_parts_compute_the_same_and_learn_for_it(self) -> None:
        network = build_network(5, 32, weights=None)
        rng = np.random.default_rng(0)
        for weight in network.get_layer(BACKBONE).weights:  # untouched norms would fold to nothing
            if any(name in weight.path for name in ("gamma", "beta", "moving_mean", "moving_variance")):
                weight.assign(rng.uniform(0.5, 1.5, weight.shape))
        pixels = rng.integers(0, 256, (4, 32, 32, 3), np.uint8)
        features = Features(to_litert(frozen_part(network), 32, "float32"))(pixels)
        twin = learning_part(network)
        inference = np.asarray(network(pixels.astype(np.float32), training=False))
        np.testing.assert_allclose(np.asarray(twin(features, training=False)), inference, rtol=1e-4, atol=1e-4)

        before = {w.path: np.asarray(w) for w in network.weights}
        assert sum("moving" in path for path in before) == 104  # 52 layers of BatchNorm, mean and variance
        twin.compile(optimizer=keras.optimizers.SGD(1e-2), loss="mse")
        twin.train_on_batch(features, np.ones((4, 5), np.float32))
        after = np.asarray(network(pixels.astype(np.float32), training=False))
        assert not np.allclose(after, inference)
        np.testing.assert_allclose(np.asarray(twin(features, training=False)), after, rtol=1e-4, atol=1e-4)
        changed = {w.path for w in network.weights if not np.array_equal(np.asarray(w), before[w.path])}
        assert changed
        assert not any("moving" in path for path in changed)
        blocks = {path.split("/")[-2].split("_")[1] for path in changed if "block_" in path}
        assert blocks == {str(number) for number in range(7, 17)}

    def test_the_head_alone_learns(self) -> None:
        network = build_network(5, 32, weights=None)
        assert {w.path.split("/")[0] for w in learning_part(network, head_only=True).trainable_weights} == {"logits"}
        assert len(learning_part(network).trainable_weights) == 95  # 31 convolutions and their norms, the head's two
