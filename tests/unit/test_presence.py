"""Empty view or something held up, on scenes with a camera's noise and with light that changes."""

import av
import cv2
import numpy as np
import pytest

from app.stream.frames import central_square
from app.stream.presence import CELLS, Presence, grid, relit

WIDTH, HEIGHT = 160, 120
SQUARE = central_square(WIDTH, HEIGHT)


def plain_wall() -> np.ndarray:
    return np.full((HEIGHT, WIDTH, 3), (178, 172, 160), np.float64)


def room() -> np.ndarray:
    """A shaded wall, a dark door, a poster and a floor: float, (120, 160, 3), RGB, 0 to 255."""
    scene = plain_wall() * np.linspace(1.1, 0.8, WIDTH)[None, :, None]
    scene[85:] = (96, 84, 70)
    scene[15:85, 108:135] = (70, 52, 40)
    scene[22:50, 30:65] = (40, 90, 150)
    scene[27:33, 35:60] = (230, 230, 225)
    return scene


def with_item(scene: np.ndarray, width: int = 30, height: int = 50, color=(200, 40, 45)) -> np.ndarray:
    """A thing in the middle of the view."""
    scene = scene.copy()
    x, y = (WIDTH - width) // 2, (HEIGHT - height) // 2
    scene[y : y + height, x : x + width] = color
    scene[y + height // 3 : y + height // 2, x : x + width] = (240, 235, 230)
    return scene


class Camera:
    """Plays scenes to a Presence at 5 looks a second of a clock of its own."""

    def __init__(self) -> None:
        self.presence = Presence()
        self.now = 100.0
        self.noises = np.random.default_rng(0).normal(0, 3, (16, HEIGHT, WIDTH, 1))

    def play(self, scene: np.ndarray, seconds: float, known: bool = False) -> list[bool]:
        """What it says after each look."""
        said = []
        for number in range(round(seconds * 5)):
            noisy = np.clip(scene + self.noises[number % len(self.noises)], 0, 255).astype(np.uint8)
            frame = av.VideoFrame.from_ndarray(noisy, format="rgb24").reformat(format="yuv420p")
            self.now += 0.2
            self.presence.look(frame, SQUARE, self.now, known)
            said.append(self.presence.in_view(known))
        return said


@pytest.fixture
def camera() -> Camera:
    return Camera()


SCENES = pytest.mark.parametrize("scene", [plain_wall(), room()], ids=["plain wall", "room"])


@SCENES
@pytest.mark.parametrize("known", [False, True])
def test_nothing_is_in_an_empty_view_whatever_the_model_says(camera, scene, known):
    assert not any(camera.play(scene, 20, known))


@SCENES
@pytest.mark.parametrize("known", [False, True])
def test_an_item_is_in_view_while_it_is_there(camera, scene, known):
    camera.play(scene, 5)
    assert all(camera.play(with_item(scene), 5, known))
    assert not any(camera.play(scene, 5)[1:])


@SCENES
def test_a_small_item_and_one_that_fills_the_view(camera, scene):
    camera.play(scene, 5)
    assert all(camera.play(with_item(scene, 22, 32), 3))
    assert not any(camera.play(scene, 3)[1:])
    assert all(camera.play(with_item(scene, 150, 115), 3))
    assert not any(camera.play(scene, 3)[1:])


def test_a_sheet_that_fills_the_view_of_a_plain_wall_is_in_view_if_the_model_knows_it(camera):
    """To the eye of a difference it is the same as a light switched on."""
    sheet = np.full((HEIGHT, WIDTH, 3), (238, 238, 234), np.float64)
    camera.play(plain_wall(), 5)
    assert not any(camera.play(sheet, 0.5, known=False))  # until the first classifications are there
    assert all(camera.play(sheet, 30, known=True))
    assert not any(camera.play(plain_wall(), 3, known=False))


def test_a_thing_of_one_colour_before_a_shaded_wall_is_no_light(camera):
    wall = plain_wall() * np.linspace(1.05, 0.9, WIDTH)[None, :, None]
    hand = wall.copy()
    hand[20:, 55:100] = (214, 164, 132)
    camera.play(wall, 5)
    assert all(camera.play(hand, 5)[1:])
    assert not any(camera.play(wall, 3)[1:])


@SCENES
@pytest.mark.parametrize("gain", [0.45, 0.7, 1.25])
def test_a_jump_of_the_light_is_nothing(camera, scene, gain):
    camera.play(scene, 5)
    warm = np.array([1.04, 1.0, 0.93])
    assert not any(camera.play(scene * gain * warm, 10))
    assert not any(camera.play(scene, 10))


@SCENES
def test_an_item_is_seen_after_a_jump_of_the_light_and_before_it(camera, scene):
    camera.play(scene, 5)
    assert all(camera.play(with_item(scene), 2, known=True))
    assert all(camera.play(with_item(scene) * 0.6, 3, known=True))
    assert not any(camera.play(scene * 0.6, 3)[1:])
    assert all(camera.play(with_item(scene) * 0.6, 2)[1:])


def test_a_lamp_in_a_corner_is_background_after_a_while(camera):
    """A change that no single gain explains looks like a thing, until it has been still for long enough."""
    camera.play(room(), 5)
    lit = room()
    lit[:65, :82] *= 1.5
    said = camera.play(lit, 25)
    assert said[3]
    assert not any(said[-15:])


def test_daylight_that_fades_is_followed(camera):
    for step in range(60):
        assert not any(camera.play(room() * (1 - 0.01 * step), 1))


def test_a_still_known_item_stays_for_minutes_and_is_background_in_the_end(camera):
    camera.play(room(), 3)
    assert all(camera.play(with_item(room()), 120, known=True))
    said = camera.play(with_item(room()), 190, known=True)
    assert not said[-1]


def test_somebody_who_moves_is_never_background(camera):
    camera.play(room(), 3)
    for step in range(40):
        moved = np.roll(with_item(room(), 50, 75), 15 * (step % 2), axis=1)
        assert all(camera.play(moved, 1))


def test_the_cameras_exposure_settles_without_an_alarm(camera):
    for gain in (0.3, 0.5, 0.8, 1.1, 1.0):
        assert not any(camera.play(room() * gain, 0.3))
    assert not any(camera.play(room(), 3))


def test_a_new_resolution_is_a_new_background():
    presence = Presence()
    for number, (width, height) in enumerate([(640, 480)] * 30 + [(320, 240)] * 30):
        picture = cv2.resize(room().astype(np.uint8), (width, height))
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
        presence.look(frame, central_square(width, height), number / 10, False)
        assert not presence.in_view(False)


def test_grid_holds_averages_of_the_square():
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    picture[:, : WIDTH // 2] = 255
    frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
    cells = grid(frame, SQUARE)
    assert cells.shape == (CELLS, CELLS, 3)
    assert cells.dtype == np.float32
    assert (cells[:, : CELLS // 2, 0] > 230).all()
    assert (cells[:, CELLS // 2 :, 0] < 20).all()


def test_relit_undoes_gain_and_offset_and_leaves_a_thing_standing():
    random = np.random.default_rng(0)
    background = random.uniform(40, 180, (CELLS, CELLS, 3)).astype(np.float32)
    view = background.copy()
    view = view * np.float32([1.3, 1.2, 1.0]) + np.float32([10, 0, -4])
    assert np.allclose(relit(view, background), background, atol=0.5)
    view[5:15, 5:15, 0] = 250
    difference = np.abs(relit(view, background) - background).max(axis=2)
    outside = np.ones((CELLS, CELLS), bool)
    outside[5:15, 5:15] = False
    assert difference[outside].max() < 0.5
    assert difference[~outside].mean() > 30
