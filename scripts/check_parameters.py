"""Refuses a file of parameters that CloudFormation would take and that would do harm. Run by scripts/deploy.sh.

One that lacks a parameter of the template's, or has one that it does not know: CloudFormation keeps the former value of what
is left out, so a line taken out would change nothing, or go on only half. The one that scripts/concurrency.py chooses may be
left out. And one that is more than the functions'
environment can hold: Lambda would say so in the middle of a deployment.
"""

import json
import pathlib
import sys

from concurrency import NAME as CHOSEN

TEMPLATE = pathlib.Path(__file__).parents[1] / "infra" / "template.yaml"

# Lambda takes an environment of 4 KB, measured as JSON: each quotation mark within a value counts twice. What is in it beside
# these parameters, and never longer than the rest of the 4 KB, is held against the template by tests/infra/template_test.py.
IN_ENVIRONMENT = ["VendorName", "SupportUrl", "ReturnUrls", "PublicDomain", "ConnectionsTableName", "SessionsTableName"]
MOST_BYTES = 3_000


def size(given, names=IN_ENVIRONMENT):
    return sum(len(json.dumps(str(given[name]), ensure_ascii=False).encode()) for name in names)


def main():
    # Here, for the tests have no SAM. It knows the tags of CloudFormation in the template.
    from samcli.yamlhelper import yaml_parse

    file = pathlib.Path(sys.argv[1])
    given = yaml_parse(file.read_text()) or {}
    if not isinstance(given, dict):
        sys.exit(f"deploy: {file} must have a line `Name: value` for each parameter, like infra/parameters.example.yaml")
    known = yaml_parse(TEMPLATE.read_text())["Parameters"]
    wrong = [f"{name} is missing" for name in known if name not in given and name != CHOSEN]
    wrong += [f"there is no parameter {name}" for name in given if name not in known]
    if wrong:
        sys.exit(f"deploy: {file}: {'; '.join(wrong)}. Compare it with infra/parameters.example.yaml.")
    if size(given) > MOST_BYTES:
        longest = max(IN_ENVIRONMENT, key=lambda name: size(given, [name]))
        sys.exit(
            f"deploy: {file}: {', '.join(IN_ENVIRONMENT)} are {size(given)} bytes together, and {MOST_BYTES} fit into the "
            f"functions' environment, where each quotation mark counts twice. {longest} is the longest: shorten it."
        )


if __name__ == "__main__":
    main()
