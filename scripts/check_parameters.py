"""Refuses a file of parameters that lacks one of the template's, or has one that it does not know: CloudFormation keeps the
former value of what is left out, so a line taken out would change nothing, or go on only half. Run by scripts/deploy.sh.
"""

import pathlib
import sys

from samcli.yamlhelper import yaml_parse

TEMPLATE = pathlib.Path(__file__).parents[1] / "infra" / "template.yaml"


def main():
    file = pathlib.Path(sys.argv[1])
    given = yaml_parse(file.read_text()) or {}
    if not isinstance(given, dict):
        sys.exit(f"deploy: {file} must have a line `Name: value` for each parameter, like infra/parameters.example.yaml")
    known = yaml_parse(TEMPLATE.read_text())["Parameters"]
    wrong = [f"{name} is missing" for name in known if name not in given]
    wrong += [f"there is no parameter {name}" for name in given if name not in known]
    if wrong:
        sys.exit(f"deploy: {file}: {'; '.join(wrong)}. Compare it with infra/parameters.example.yaml.")


if __name__ == "__main__":
    main()
