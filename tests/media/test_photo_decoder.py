"""Strangers' photos: unpacked in a process that may die of them."""

import io
import logging
import random
import signal
import sys
import threading

import pytest
from PIL import Image

from app.photo.decoder import PhotoDecoder
from app.photo.worker import SAMPLE_S, allowed_s, sample_s, slowness
from app.settings import Settings
from model import PhotoError, read_photo
from tests.helpers.hostile_photos import chunk, encoded, mutated, png_header, valid_files
from tests.measure.fuzz import run

MEGAPIXELS = 1_000_000
FUZZED = 150


@pytest.fixture
def decoder():
    decoder = PhotoDecoder(50 * MEGAPIXELS, 1.5, 20 * 2**20)
    yield decoder
    decoder.close()


def scans_bomb() -> bytes:
    """A progressive JPEG of 49 megapixels, one scan of which comes 3000 times: minutes of work in 0.6 MB."""
    data = valid_files()["jpeg progressive"]
    size = data.index(b"\xff\xc2") + 5
    data = data[:size] + (7000).to_bytes(2, "big") * 2 + data[size + 4 :]
    scans = [at for at in range(len(data) - 1) if data[at : at + 2] == b"\xff\xda"]
    return data[: scans[1]] + data[scans[1] : scans[2]] * 3000 + data[scans[2] :]


def test_every_kind_of_valid_file_is_read_as_without_the_worker(decoder):
    for name, content in valid_files().items():
        assert (decoder.read(content) == read_photo(content)).all(), name


def test_what_is_refused_says_why_and_the_worker_lives_on(decoder):
    for content, words in [
        (b"hello", "is not an image"),
        (b"", "is not an image"),
        (png_header(10_000, 10_000) + chunk(b"IDAT", b""), "has 100 megapixels"),
        (valid_files()["png"][:100], "damaged"),
        (bytes(20 * 2**20 + 1), "is larger than 20 MiB"),
    ]:
        with pytest.raises(PhotoError, match=words):
            decoder.read(content)
        assert decoder.died is None


def test_what_takes_too_long_is_stopped_logged_and_the_next_photo_is_read(decoder, caplog):
    good = valid_files()["jpeg"]
    decoder.read(good)  # the worker has started
    with caplog.at_level(logging.WARNING), pytest.raises(PhotoError, match="takes too long"):
        decoder.read(scans_bomb())
    assert decoder.died == -signal.SIGPROF
    (record,) = caplog.records
    assert "SIGPROF" in record.message
    assert decoder.read(good).shape == (72, 96, 3)


def test_time_is_given_by_pixels():
    assert allowed_s(6.0, 0, 60 * MEGAPIXELS) == pytest.approx(1.0)  # to any file, header and all
    assert allowed_s(6.0, 30 * MEGAPIXELS, 60 * MEGAPIXELS) == pytest.approx(3.5)
    assert allowed_s(6.0, 60 * MEGAPIXELS, 60 * MEGAPIXELS) == pytest.approx(6.0)
    assert allowed_s(6.0, 240 * MEGAPIXELS, 60 * MEGAPIXELS) == pytest.approx(6.0)


@pytest.mark.parametrize(("times", "more"), [(0.2, 1.0), (2.5, 2.5), (100.0, 4.0)])
def test_time_is_given_by_the_machines_speed(monkeypatch, times, more):
    assert 0 < sample_s() < 10
    monkeypatch.setattr("app.photo.worker.sample_s", lambda: times * SAMPLE_S)
    assert slowness() == pytest.approx(more)


@pytest.mark.parametrize("size", [(8160, 6144), (9280, 6944), (12000, 9000), (16320, 12240)])
def test_photos_as_large_as_phones_take_them_are_read(size):
    """`python -m tests.measure.phone_photos` does so with noise, and HEIC."""
    usual = Settings()
    decoder = PhotoDecoder(
        usual.max_photo_megapixels * MEGAPIXELS, usual.max_photo_seconds, usual.max_photo_mib * 2**20
    )
    rgb = decoder.read(encoded(Image.new("RGB", size, "red"), "JPEG"))
    assert rgb.shape[1] / rgb.shape[0] == pytest.approx(size[0] / size[1], rel=0.01)
    assert (rgb[0, 0] == (254, 0, 0)).all()
    decoder.close()


def test_too_little_memory_is_a_refusal():
    decoder = PhotoDecoder(MEGAPIXELS // 10, 1.5, 2**20)  # 66 MiB more than the process has
    buffers = png_header(300, 300) + b"".join(valid_files()["png"].partition(b"IDAT")[1:])
    with pytest.raises(PhotoError):
        decoder.read(buffers)
    decoder.close()
    small = PhotoDecoder(50 * MEGAPIXELS, 1.5, 2**20)
    small._command[-1] = str(40 * 2**20)  # 49 megapixels take 200 MiB
    with pytest.raises(PhotoError, match=r"memory|too large"):
        small.read(encoded(Image.new("RGB", (7000, 7000)), "PNG"))
    small.close()


def test_a_crash_is_contained(decoder, caplog):
    good = valid_files()["png"]
    sound = decoder._command
    crash = "import os, signal, sys; sys.stdin.buffer.read(9); os.kill(os.getpid(), signal.SIGSEGV)"
    decoder._command = [sys.executable, "-c", crash]
    with caplog.at_level(logging.WARNING), pytest.raises(PhotoError, match="damaged"):
        decoder.read(good)
    assert decoder.died == -signal.SIGSEGV
    (record,) = caplog.records
    assert "SIGSEGV" in record.message
    decoder._command = sound
    assert decoder.read(good).shape == (72, 96, 3)


def test_a_worker_that_died_between_photos_costs_none(decoder):
    good = valid_files()["png"]
    decoder.read(good)
    decoder._worker.kill()
    decoder._worker.wait()
    assert decoder.read(good).shape == (72, 96, 3)
    assert decoder.died is None


def test_many_visitors_at_once_each_get_their_own_photo(decoder):
    wrong = []

    def visitor(number: int) -> None:
        for _ in range(5):
            out = io.BytesIO()
            Image.new("RGB", (10 + number, 5), (number, 0, 0)).save(out, "PNG")
            rgb = decoder.read(out.getvalue())
            if rgb.shape != (5, 10 + number, 3) or not (rgb[..., 0] == number).all():
                wrong.append(number)

    threads = [threading.Thread(target=visitor, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_the_worker_ends_with_its_owner_and_knows_no_secret(monkeypatch):
    monkeypatch.setenv("WHICHBIN_OPERATOR_PASSWORD", "open sesame")
    decoder = PhotoDecoder(MEGAPIXELS, 1.5, 2**20)
    decoder.read(valid_files()["png"])
    worker = decoder._worker
    with open(f"/proc/{worker.pid}/environ", "rb") as environ:
        assert b"sesame" not in environ.read()
    decoder.close()
    decoder.close()
    assert worker.poll() is not None
    with pytest.raises(PhotoError, match="being stopped"):
        decoder.read(valid_files()["png"])


def test_damage_is_the_same_each_time():
    files = valid_files()
    assert mutated(random.Random("1/7"), files) == mutated(random.Random("1/7"), files)


def test_fuzzed_files_are_pictures_or_refused(tmp_path):
    """`python -m tests.measure.fuzz` does more of it."""
    figures = run(seed=2, numbers=range(FUZZED), keep=tmp_path)
    assert figures["broken"] == []
    outcomes = figures["outcomes"]
    assert outcomes["pictures"] + outcomes["refused"] == FUZZED
    assert outcomes["pictures"] > FUZZED / 10
    assert outcomes["refused"] > FUZZED / 10
