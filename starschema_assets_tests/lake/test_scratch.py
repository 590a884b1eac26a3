"""Scratch folders are deleted after their process has ended."""

import subprocess
import sys
from pathlib import Path

from starschema_assets.lake.scratch import Scratch, sweep

HOLD = """
import sys, time
from pathlib import Path
from starschema_assets.lake.scratch import Scratch
scratch = Scratch(Path(sys.argv[1]))
(scratch.path / "file").touch()
print(scratch.path, flush=True)
time.sleep(600)
"""


def test_the_folder_of_a_live_process_stays_and_that_of_a_killed_one_goes(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        folder = Path(process.stdout.readline().strip())
        assert sweep(tmp_path) == []
        assert (folder / "file").exists()
        process.kill()
    assert sweep(tmp_path) == [folder]
    assert list(tmp_path.iterdir()) == []


def test_the_folder_of_this_process_stays_until_it_is_closed(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    assert sweep(tmp_path) == []
    assert scratch.path.is_dir()
    scratch.close()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_ours_is_never_swept(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    assert sweep(tmp_path) == []
    assert (tmp_path / "theirs").is_dir()
