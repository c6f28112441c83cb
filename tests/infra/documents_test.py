"""What documents say in figures and names: the costs are what the script computes, and what backs a claim exists.

Run by `make verify`; alone: .tools/verify/bin/python tests/infra/documents_test.py
"""

import pathlib
import re
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).parents[2]
DOCS = ROOT / "docs"


def files():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True)
    return listed.stdout.split()


class Documents(unittest.TestCase):
    def test_the_costs_are_those_that_the_script_computes(self):
        command = [sys.executable, ROOT / "scripts" / "costs.py"]
        computed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        self.assertIn(f"\n{computed}\n", (DOCS / "costs.md").read_text(), "paste what scripts/costs.py prints")

    def test_what_the_security_model_names_is_there(self):
        text, known = (DOCS / "security.md").read_text(), files()
        sources = [ROOT / name for name in known if name.endswith(".rs")]
        functions = set(re.findall(r"\bfn ([a-z_0-9]+)", "\n".join(source.read_text() for source in sources)))
        # The names of tests are sentences; other words of the code are shorter.
        tests = {name for name in re.findall(r"`([a-z_0-9]+)`", text) if name.count("_") > 2}
        self.assertGreater(len(tests), 15)
        self.assertEqual(tests - functions, set())
        named = set(re.findall(r"`([\w/.-]+\.(?:rs|py|toml))`", text))
        self.assertGreater(len(named), 30)
        self.assertEqual([name for name in named if not any(f"/{it}".endswith(f"/{name}") for it in known)], [])

    def test_deployments_and_tests_build_with_the_same_cargo_lambda(self):
        infra, tests = [
            re.findall(r"^cargo-lambda==.*$", (ROOT / folder / "requirements.txt").read_text(), re.MULTILINE)
            for folder in ["infra", "tests"]
        ]
        self.assertEqual(len(infra), 1)
        self.assertEqual(infra, tests)


if __name__ == "__main__":
    unittest.main()
