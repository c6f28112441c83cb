"""Holds every example in a contract against its schema. The contract's path is the one argument."""

import json
import sys

from jsonschema import Draft202012Validator, FormatChecker

with open(sys.argv[1], encoding="utf-8") as file:
    contract = json.load(file)


def examples(value):
    """Each schema that has examples, with them: in `examples` of its own, or of what it describes."""
    if isinstance(value, dict):
        if isinstance(value.get("examples"), list):
            yield value, value["examples"]
        if "schema" in value:
            named = value.get("examples", {}).values()
            yield value["schema"], [example["value"] for example in named] + [value[key] for key in ("example",) if key in value]
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from examples(part)


count = 0
for schema, values in examples(contract):
    # Beside the components, so that references are found.
    whole = {"allOf": [schema], "components": contract["components"]}
    for value in values:
        Draft202012Validator(whole, format_checker=FormatChecker()).validate(value)
        count += 1
print(f"{count} examples are as their schemas say")
