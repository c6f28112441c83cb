"""What scripts/artefacts.sh has built: a zip that Lambda takes, and nothing of this machine in it.

Run by `make verify`, which builds them first.
"""

import hashlib
import os
import pathlib
import platform
import subprocess
import time
import unittest
import zipfile

ROOT = pathlib.Path(__file__).parents[2]
TARGET = (ROOT / os.environ.get("CARGO_TARGET_DIR", "target")).resolve()
CARGO_HOME = pathlib.Path(os.environ.get("CARGO_HOME", pathlib.Path.home() / ".cargo")).resolve()
# The machine's number in an ELF header.
MACHINES = {"x86_64": 62, "aarch64": 183}


class Artefacts(unittest.TestCase):
    def setUp(self):
        self.folder = TARGET / "artefacts"
        self.zips = sorted(self.folder.glob("shop-keyring-*.zip"))
        self.assertTrue(self.zips, "run scripts/artefacts.sh first")

    def test_the_sums_are_those_of_the_zips(self):
        lines = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}" for file in self.zips]
        self.assertEqual((self.folder / "SHA256SUMS").read_text().splitlines(), lines)

    def test_each_zip_is_one_executable_with_the_time_of_the_commit(self):
        commit = subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=ROOT, check=True, capture_output=True, text=True)
        # Zips know even seconds only.
        committed = int(os.environ.get("SOURCE_DATE_EPOCH", commit.stdout)) // 2 * 2
        for file in self.zips:
            with zipfile.ZipFile(file) as archive:
                (entry,) = archive.infolist()
                program = archive.read(entry)
            self.assertEqual((entry.filename, entry.external_attr >> 16), ("bootstrap", 0o100755))
            self.assertEqual(entry.date_time, time.gmtime(committed)[:6])
            self.assertEqual((program[:4], program[18]), (b"\x7fELF", MACHINES[platform.machine()]))

    def test_no_directory_of_this_machine_is_in_a_program(self):
        for file in self.zips:
            with zipfile.ZipFile(file) as archive:
                program = archive.read("bootstrap")
            for directory in [ROOT, TARGET, CARGO_HOME]:
                self.assertNotIn(f"{directory}/".encode(), program, directory)


if __name__ == "__main__":
    unittest.main()
