"""What training shows the network: augmented photos, cut-out items before other backgrounds, empty views."""

from pathlib import Path

import cv2
import numpy as np

from training.pictures.augmentation import augment, geometric, photometric
from training.pictures.background import background_view, empty_scene
from training.pictures.cutout import cached_cutouts, cutout, cutouts
from training.pictures.scene import before_another, disturb


class TestAugmentation:
    def test_shape_dtype_and_change(self) -> None:
        rgb = np.random.default_rng(0).integers(0, 256, (50, 50, 3), np.uint8)
        views = [augment(rgb, 32, np.random.default_rng(seed)) for seed in range(30)]
        assert all(view.shape == (32, 32, 3) and view.dtype == np.uint8 for view in views)
        assert len({view.tobytes() for view in views}) == 30

    def test_same_generator_same_view(self) -> None:
        rgb = np.random.default_rng(0).integers(0, 256, (50, 50, 3), np.uint8)
        again = [augment(rgb, 32, np.random.default_rng(7)) for _ in range(2)]
        np.testing.assert_array_equal(*again)

    def test_geometry_keeps_colours_and_reaches_every_orientation(self) -> None:
        # Left red, right blue: only the arrangement may change, and each side must come up top, left, bottom and right
        rgb = np.zeros((64, 64, 3), np.uint8)
        rgb[:, :32, 0], rgb[:, 32:, 2] = 200, 200
        red_side = set()
        for seed in range(60):
            view = geometric(rgb, 32, np.random.default_rng(seed), (0.45, 1.2)).astype(int)
            assert view[..., 1].max() == 0
            assert np.abs(view.sum(axis=2) - 200).max() <= 2
            red = view[..., 0]
            halves = {"top": red[:16], "bottom": red[16:], "left": red[:, :16], "right": red[:, 16:]}
            red_side.add(max(halves, key=lambda side: halves[side].mean()))
        assert red_side == {"top", "bottom", "left", "right"}

    def test_light_changes_mean_but_leaves_most_pictures_recognisable(self) -> None:
        rgb = np.random.default_rng(0).integers(60, 200, (40, 40, 3), np.uint8)
        means = [photometric(rgb, np.random.default_rng(seed)).mean() for seed in range(100)]
        assert np.std(means) > 10
        assert np.mean([20 < mean < 235 for mean in means]) > 0.95

    def test_input_is_left_alone(self) -> None:
        rgb = np.full((20, 20, 3), 120, np.uint8)
        for seed in range(10):
            augment(rgb, 20, np.random.default_rng(seed))
        assert (rgb == 120).all()


class TestBackground:
    def test_empty_scenes_are_pictures_and_differ(self) -> None:
        scenes = [empty_scene(32, np.random.default_rng(seed)) for seed in range(40)]
        assert all(scene.shape == (32, 32, 3) and scene.dtype == np.uint8 for scene in scenes)
        assert len({scene.tobytes() for scene in scenes}) == 40
        brightness = [scene.mean() for scene in scenes]
        assert min(brightness) < 25
        assert max(brightness) > 150

    def test_views_come_from_scenes_too(self) -> None:
        green = np.zeros((1, 64, 64, 3), np.uint8)
        green[..., 1] = 200
        views = [background_view(green, 32, np.random.default_rng(seed)) for seed in range(40)]
        greenish = [v[..., 1].mean() > 3 * max(v[..., 0].mean(), v[..., 2].mean(), 0.1) for v in views]
        assert 0.3 < np.mean(greenish) < 1

    def test_no_scenes_is_synthetic_alone(self) -> None:
        view = background_view(np.empty((0, 8, 8, 3), np.uint8), 24, np.random.default_rng(0))
        assert view.shape == (24, 24, 3)


def board_photo(rng: np.random.Generator, item: bool = True) -> np.ndarray:
    """A dark ellipse on a bright board that gets darker to one side, with a camera's noise; RGB."""
    board = np.full((192, 256, 3), (225, 220, 205), np.float32) * np.linspace(1, 0.75, 256)[None, :, None]
    if item:
        cv2.ellipse(board, (140, 100), (60, 35), 20, 0, 360, (60, 110, 60), -1, cv2.LINE_AA)
    return np.clip(board + rng.normal(0, 2, board.shape), 0, 255).astype(np.uint8)


class TestCutout:
    def test_finds_the_item(self) -> None:
        found = cutout(board_photo(np.random.default_rng(0)))
        assert found is not None
        truth = np.zeros((192, 256), np.uint8)
        cv2.ellipse(truth, (140, 100), (60, 35), 20, 0, 360, 255, -1)
        truth = cv2.resize(truth, found.shape) > 127
        overlap = ((found > 127) & truth).sum() / ((found > 127) | truth).sum()
        assert overlap > 0.9

    def test_no_item_or_no_plain_background_is_nothing(self) -> None:
        rng = np.random.default_rng(0)
        room = cv2.resize(rng.integers(0, 256, (8, 8, 3), np.uint8), (256, 192), interpolation=cv2.INTER_NEAREST)
        assert cutout(board_photo(rng, item=False)) is None
        assert cutout(room) is None
        outlines = cutouts([board_photo(rng), room])
        assert outlines.max(axis=(1, 2)).tolist() == [255, 0]

    def test_cache_is_used_and_is_of_these_photos(self, tmp_path: Path) -> None:
        photos = np.stack([board_photo(np.random.default_rng(0))])
        first = cached_cutouts(photos, tmp_path)
        (stored,) = tmp_path.iterdir()
        np.save(stored, first // 2)
        np.testing.assert_array_equal(cached_cutouts(photos, tmp_path), first // 2)
        np.testing.assert_array_equal(cached_cutouts(photos[:, ::-1].copy(), tmp_path)[0].max(), 255)


class TestScene:
    def test_item_moves_to_the_new_background(self) -> None:
        photo = np.full((64, 64, 3), (0, 200, 0), np.uint8)
        photo[20:44, 20:44] = (200, 0, 0)
        outline = np.zeros((32, 32), np.uint8)
        outline[10:22, 10:22] = 255
        scenes = np.zeros((1, 64, 64, 3), np.uint8)
        shares = []
        for seed in range(40):
            view = before_another(photo, outline, scenes, 48, np.random.default_rng(seed)).astype(int)
            assert view.shape == (48, 48, 3)
            shares.append(((view[..., 0] > 120) & (view[..., 1] < 120)).mean())
        assert 0.1 < np.median(shares) < 0.9
        assert np.std(shares) > 0.05

    def test_disturbances_come_and_leave_most_of_the_picture(self) -> None:
        rgb = np.full((64, 64, 3), 130, np.uint8)
        views = [disturb(rgb, np.random.default_rng(seed)) for seed in range(60)]
        changed = [np.abs(view.astype(int) - 130).max(axis=2) > 8 for view in views]
        assert all(view.shape == (64, 64, 3) and view.dtype == np.uint8 for view in views)
        assert 0.2 < np.mean([mask.any() for mask in changed]) < 0.7
        assert np.mean([mask.mean() for mask in changed]) < 0.35
        assert (rgb == 130).all()
