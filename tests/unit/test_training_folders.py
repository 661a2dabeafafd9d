"""Folders of photos as people have them, for every command of the training."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.helpers.trashnet import ROOT
from training.data.photos import check_photos, class_folders, photos_in
from training.data.splits import chosen_part, grouped_split, photo_names, read_groups, write_groups
from training.errors import TrainingError
from training.pictures.pasting import paste_items


def photo(path: Path, seed: int | None = None) -> Path:
    """A small JPEG of noise, whatever the file's name; no two are alike unless they have one seed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng([0, seed] if seed is not None else list(os.fsencode(path)))
    path.write_bytes(cv2.imencode(".jpg", rng.integers(0, 256, (24, 32, 3), np.uint8))[1].tobytes())
    return path


def photos(folder: Path, *names: str) -> Path:
    for name in names:
        photo(folder / name)
    return folder


def found_in(folder: Path) -> dict[str, list[str]]:
    return {name: [str(p.relative_to(folder)) for p in paths] for name, paths in class_folders(folder).items()}


class TestWhatIsUsed:
    def test_folders_in_class_folders_are_used_and_said(self, tmp_path, capsys):
        photos(tmp_path, "glass/1.jpg", "glass/brown/2.jpg", "glass/green/old/3.jpg", "metal/4.jpg")
        assert found_in(tmp_path) == {
            "glass": ["glass/1.jpg", "glass/brown/2.jpg", "glass/green/old/3.jpg"],
            "metal": ["metal/4.jpg"],
        }
        said = capsys.readouterr().err
        assert said == f"{tmp_path}/glass: 2 of its 3 files are in folders in it (brown, green) and are used, too\n"

    def test_classes_may_have_nothing_but_folders_in_them(self, tmp_path):
        photos(tmp_path, "glass/old/1.jpg", "glass/new/2.jpg", "metal/old/3.jpg", "metal/new/4.jpg")
        assert {name: len(paths) for name, paths in found_in(tmp_path).items()} == {"glass": 2, "metal": 2}

    @pytest.mark.parametrize(
        "name",
        ["__MACOSX/glass/._1.jpg", "glass/.DS_Store", "glass/._1.jpg", "glass/Thumbs.db", "metal/DESKTOP.INI",
         "glass/@eaDir/1.jpg/SYNOPHOTO.jpg", "@eaDir/x.jpg", ".git/x", "glass/.ipynb_checkpoints/1-copy.jpg",
         "$RECYCLE.BIN/x.jpg", "metal/Icon\r"],
    )  # fmt: skip
    def test_what_systems_keep_there_is_left_out_and_counted(self, name, tmp_path, capsys):
        photos(tmp_path, "glass/1.jpg", "metal/2.jpg")
        wanted = found_in(tmp_path)
        assert capsys.readouterr().err == ""
        photos(tmp_path, name)
        assert found_in(tmp_path) == wanted
        said = capsys.readouterr().err
        assert said == f"{tmp_path}: left out 1 file: hidden, or kept there by an operating system ({name})\n"

    def test_each_reason_has_one_line_with_the_first_names(self, tmp_path, capsys):
        photos(tmp_path, "glass/1.jpg", "metal/2.jpg", "README", "a.jpg", *(f"glass/.{i}.jpg" for i in range(5)))
        os.mkfifo(tmp_path / "glass" / "pipe")
        (tmp_path / "metal" / "again").symlink_to(tmp_path)
        assert found_in(tmp_path) == {"glass": ["glass/1.jpg"], "metal": ["metal/2.jpg"]}
        lines = sorted(capsys.readouterr().err.splitlines())
        assert len(lines) == 4
        assert "1 file: a device, socket or pipe instead of a file (glass/pipe)" in lines[0]
        assert "1 file: a link to a folder that it is in itself (metal/again)" in lines[1]
        assert "2 files: beside the class folders, and so of no class (README, a.jpg)" in lines[2]
        assert lines[3].startswith(f"{tmp_path}: left out 5 files: hidden")
        assert lines[3].endswith(", ...)")
        assert lines[3].count("glass/.") == 3

    def test_links_are_followed_and_dead_ones_named(self, tmp_path, capsys):
        photos(tmp_path / "elsewhere", "1.jpg", "inner/2.jpg")
        data = photos(tmp_path / "data", "metal/3.jpg")
        (data / "glass").symlink_to(tmp_path / "elsewhere")
        (data / "metal" / "gone.jpg").symlink_to(tmp_path / "nowhere.jpg")
        classes = class_folders(data)
        assert {name: len(paths) for name, paths in classes.items()} == {"glass": 2, "metal": 2}
        bad = check_photos([path for paths in classes.values() for path in paths], skip_bad=True)
        assert bad == {data / "metal" / "gone.jpg"}
        said = capsys.readouterr().err
        assert "gone.jpg: does not exist" in said
        assert "left out 1 file of 4, as --skip-bad asks" in said

    @pytest.mark.parametrize("name", ["a.jfif", "b.JPE", "c.JPG", "d", "e.jpg_large", "f.download"])
    def test_a_photo_may_have_any_name(self, name, tmp_path):
        photos(tmp_path, name)
        assert check_photos(photos_in(tmp_path)) == set()

    def test_pictures_without_labels_follow_the_same_rule(self, tmp_path, capsys):
        photos(tmp_path, "1.jpg", "deep/er/2.jpg", "Thumbs.db", "__MACOSX/._1.jpg")
        assert [path.name for path in photos_in(tmp_path)] == ["1.jpg", "2.jpg"]
        assert "left out 2 files: hidden" in capsys.readouterr().err

    def test_a_folder_that_cannot_be_read_is_not_passed_over(self, tmp_path, monkeypatch):
        photos(tmp_path, "glass/1.jpg", "metal/2.jpg")
        real = os.scandir

        def scandir(path):
            if str(path).endswith("metal"):
                raise PermissionError(13, "Permission denied", str(path))
            return real(path)

        monkeypatch.setattr(os, "scandir", scandir)
        with pytest.raises(TrainingError, match=r"metal: this folder cannot be read \(Permission denied\)"):
            class_folders(tmp_path)


class TestLayout:
    @pytest.mark.parametrize(
        ("names", "advice"),
        [
            (["train/glass/1.jpg", "train/metal/2.jpg", "test/glass/3.jpg", "val/metal/4.jpg"],
             "give --data {0}/train to train on, and give --data {0}/test or --data {0}/val to training.evaluate"),
            (["Training/glass/1.jpg", "Training/metal/2.jpg", "Training/a.jpg", "Test_set/3.jpg"],
             "give --data {0}/Training to train"),
            (["train/glass/1.jpg", "train/metal/2.jpg", "labels/notes.txt"], "give --data {0}/train to train on"),
            (["set/seg_train/glass/1.jpg", "set/seg_test/glass/3.jpg"], "give --data {0}/set/seg_train to train on"),
            (["valid/glass/1.jpg", "valid/metal/1.jpg"], "give --data {0}/valid to training.evaluate"),
            (["train/1.jpg", "test/2.jpg"], "put the photos of each class in a folder of its name, and"),
            (["archive/glass/1.jpg", "archive/metal/2.jpg"], "deeper; give --data {0}/archive"),
            (["a/b/c/glass/1.jpg", "a/b/c/metal/2.jpg", "__MACOSX/x/._1.jpg"], "deeper; give --data {0}/a/b/c"),
        ],
    )  # fmt: skip
    def test_the_folder_to_give_is_named(self, names, advice, tmp_path):
        photos(tmp_path, *names)
        with pytest.raises(TrainingError) as raised:
            class_folders(tmp_path)
        assert advice.format(tmp_path) in str(raised.value)

    @pytest.mark.parametrize(
        "names",
        [
            ["train/1.jpg", "bus/2.jpg"],  # what some classes are called
            ["train/steam/1.jpg", "bus/2.jpg"],
            ["training shoes/old/1.jpg", "boots/old/2.jpg"],
        ],
    )
    def test_classes_with_such_names_are_classes(self, names, tmp_path):
        photos(tmp_path, *names)
        assert list(found_in(tmp_path)) == sorted({name.split("/")[0] for name in names})

    def test_known_labels_are_classes_whatever_is_in_them(self, tmp_path):
        photos(tmp_path, "train/steam/1.jpg", "train/diesel/2.jpg")
        assert list(class_folders(tmp_path, labels=("bus", "train"))) == ["train"]
        photos(tmp_path, "test/3.jpg")
        assert list(class_folders(tmp_path, labels=("test", "train"))) == ["test", "train"]
        with pytest.raises(TrainingError, match="holds the parts of a data set"):
            class_folders(tmp_path, labels=("bus", "car"))

    def test_an_archive_is_told_from_a_folder(self, tmp_path):
        with zipfile.ZipFile(tmp_path / "my.zip", "w") as archive:
            archive.writestr("glass/1.jpg", b"")
        said = rf"my.zip: is an archive, and no folder; unpack it \(unzip {tmp_path}/my.zip -d {tmp_path}/my\)"
        for find in (class_folders, photos_in):
            with pytest.raises(TrainingError, match=said):
                find(tmp_path / "my.zip")
        with pytest.raises(TrainingError, match=r"unpack my\.zip, or put the photos of each class in a folder"):
            class_folders(tmp_path)
        with pytest.raises(TrainingError, match=r"1.jpg: is a file, and no folder"):
            class_folders(photo(tmp_path / "1.jpg"))


class TestOnePhotoInTwoClasses:
    def test_all_its_places_are_named(self, tmp_path, capsys):
        photos(tmp_path, "glass/1.jpg", "metal/2.jpg", "paper/4.jpg")
        assert class_folders(tmp_path)
        assert capsys.readouterr().err == ""
        copies = [photo(tmp_path / name, 7) for name in ("glass/a.jpg", "metal/old/b.jpg", "paper/c.jpg")]
        class_folders(tmp_path)
        said = capsys.readouterr().err
        assert (
            f"warning: one photo in several classes, of which at most one is right: {copies[0]} and {copies[1]}" in said
        )
        assert str(copies[2]) in said

    def test_copies_within_a_class_are_no_conflict(self, tmp_path, capsys):
        for name in ("glass/a.jpg", "glass/brown/a.jpg", "glass/b.jpg"):
            photo(tmp_path / name, 7)
        photos(tmp_path, "metal/1.jpg")
        class_folders(tmp_path)
        assert "warning" not in capsys.readouterr().err

    def test_many_are_counted(self, tmp_path, capsys):
        for seed in range(13):
            photo(tmp_path / "glass" / f"{seed}.jpg", seed)
            photo(tmp_path / "metal" / f"{seed}.jpg", seed)
        class_folders(tmp_path)
        lines = capsys.readouterr().err.splitlines()
        assert len(lines) == 11
        assert lines[-1] == "warning: 3 more photos are in several classes"


class TestNames:
    def test_photos_whose_names_are_not_utf8_go_every_way(self, tmp_path, capsys):
        odd = os.fsdecode(b"caf\xe9.jpg")
        photos(tmp_path, f"glass/{odd}", "glass/1.jpg", "metal/2.jpg")
        classes = class_folders(tmp_path)
        assert check_photos([path for paths in classes.values() for path in paths]) == set()
        names = photo_names(classes)
        assert f"glass/{odd}" in names.values()
        write_groups(tmp_path / "list.tsv", [("test", i, name) for i, name in enumerate(names.values())])
        assert b"glass/caf\xe9.jpg\n" in (tmp_path / "list.tsv").read_bytes()
        assert sorted(read_groups(tmp_path / "list.tsv")) == sorted(names.values())
        assert chosen_part(classes, "grouped-test", tmp_path / "list.tsv") == classes
        (tmp_path / "glass" / odd).write_bytes(b"no photo")
        with pytest.raises(TrainingError):
            check_photos(classes["glass"])
        assert r"glass/caf\xe9.jpg: is not an image" in capsys.readouterr().err

    def test_such_a_class_is_named(self, tmp_path):
        photos(tmp_path, f"{os.fsdecode(b'caf' + bytes([0xE9]))}/1.jpg", "metal/2.jpg")
        with pytest.raises(TrainingError, match=r"caf\\xe9: the name of this class folder is not UTF-8"):
            class_folders(tmp_path)

    @pytest.mark.parametrize("mark", ["\x85", "\u2028", "\x0c"])
    def test_letters_that_python_takes_for_line_ends_do_not_break_a_list(self, mark, tmp_path):
        rows = [("test", 0, f"glass/a{mark}b.jpg")]
        write_groups(tmp_path / "list.tsv", rows)
        assert read_groups(tmp_path / "list.tsv") == {rows[0][2]: "test"}

    def test_a_line_break_in_a_name_is_refused_before_it_breaks_a_list(self, tmp_path):
        with pytest.raises(TrainingError, match="rename the file"):
            write_groups(tmp_path / "list.tsv", [("test", 0, "glass/a\nb.jpg")])

    def test_photos_of_one_name_in_two_folders_stay_two(self, tmp_path):
        photos(tmp_path, "glass/brown/1.jpg", "glass/green/1.jpg", "glass/1.jpg", "metal/old/2.jpg")
        classes = class_folders(tmp_path)
        names = sorted(photo_names(classes).values())
        # A folder that all of a class's photos share is part of their names as well
        assert names == ["glass/1.jpg", "glass/brown/1.jpg", "glass/green/1.jpg", "metal/old/2.jpg"]
        write_groups(tmp_path / "list.tsv", [("training", i, name) for i, name in enumerate(names)])
        assert grouped_split(classes, tmp_path / "list.tsv")["training"] == classes

    def test_pasted_items_never_overwrite_each_other(self, tmp_path):
        data, scene = tmp_path / "data", photo(tmp_path / "scene.jpg")
        for name in ("brown/1.png", "green/1.png", "1.png", "1.bmp"):
            (data / "glass" / name).parent.mkdir(parents=True, exist_ok=True)
            rgb = np.full((96, 128, 3), 245, np.uint8)
            rgb[30:66, 40:80] = (30, 30, 220)
            assert cv2.imwrite(str(data / "glass" / name), rgb)
        assert paste_items(class_folders(data), [scene], tmp_path / "out", 1, (), 1) == 4
        made = sorted(str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*.jpg"))
        assert made == ["glass/1.bmp-1.jpg", "glass/1.png-1.jpg", "glass/brown/1-1.jpg", "glass/green/1-1.jpg"]


def test_the_folders_of_a_command_are_looked_at_before_tensorflow_is_loaded(tmp_path):
    """Of each command that loads it; the others never do."""
    program = (
        "import runpy, sys\ntry:\n    runpy.run_module(sys.argv[0], run_name='__main__')\n"
        "except SystemExit as end:\n    print(end.code, 'tensorflow' in sys.modules)"
    )
    for words in (
        ["training.train", "--data", "nope", "--out", "out"],
        ["training.group", "--data", "nope", "--out", "out"],
        ["training.paste", "--data", "nope", "--before", "nope", "--out", "out"],
        ["training.evaluate", "--model", "nope", "--data", "nope"],
        ["training.spread", "nope"],
    ):
        command = [sys.executable, "-c", f"import sys; sys.argv = {words!r}\n{program}"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        assert done.stdout == "2 False\n", words
        assert done.stderr.startswith("error: nope"), words
        assert len(done.stderr.splitlines()) == 1, words
