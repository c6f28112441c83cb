"""The templates of infra/ as CloudFormation would have them: after SAM's transform, and with their functions resolved."""

import copy
import functools
import json
import os
import pathlib
import re

from cfnlint.decode import cfn_yaml
from samtranslator.translator.transform import transform

# The transform asks for a Region, and would look for one in the developer's own settings.
os.environ["AWS_DEFAULT_REGION"] = "us-east-1"

FOLDER = pathlib.Path(__file__).parents[2] / "infra"
STACK = "shop-keyring"
PSEUDO = {
    "AWS::StackName": STACK,
    "AWS::Region": "us-east-1",
    "AWS::AccountId": "111122223333",
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
}
GONE = object()


class NoManagedPolicies:
    """The transform looks managed policies up by name; the templates use none."""

    def load(self):
        return {}


def names():
    return sorted(path.stem for path in FOLDER.glob("*.yaml") if path.name != "parameters.example.yaml")


def plain(value):
    """Without the positions in the file that cfn-lint's loader notes."""
    return json.loads(json.dumps(value))


def source(name):
    return copy.deepcopy(loaded(name))


@functools.cache
def loaded(name):
    return plain(cfn_yaml.load(str(FOLDER / f"{name}.yaml")))


def transformed(name="template"):
    """What CloudFormation gets. `sam package` would put the places of the code in; here they are made up."""
    return copy.deepcopy(once_transformed(name))


@functools.cache
def once_transformed(name):
    template = source(name)
    if "Transform" not in template:
        return template
    for function in of_type(template, "AWS::Serverless::Function"):
        function["CodeUri"] = "s3://artefacts/function.zip"
    # The transform must know the value of this one list, and puts it in the place of the reference.
    result = plain(transform(template, {"Architecture": "arm64"}, NoManagedPolicies()))
    for function in of_type(result, "AWS::Lambda::Function"):
        function["Architectures"] = [{"Ref": "Architecture"}]
    return result


def of_type(template, kind):
    return [it["Properties"] for it in template["Resources"].values() if it["Type"] == kind]


def resolved(name, **parameters):
    """A template's resources with every function resolved, those left out whose condition is false. Attributes of
    resources become `RESOURCE.ATTRIBUTE`."""
    template = transformed(name)
    defaults = {key: it["Default"] for key, it in template.get("Parameters", {}).items() if "Default" in it}
    values = {**PSEUDO, "Stack": STACK, **defaults, **parameters}
    resolver = Resolver(values, template.get("Conditions", {}), template["Resources"])
    resources = template["Resources"].items()
    return {key: resolver.resolve(it) for key, it in resources if resolver.holds(it.get("Condition"))}


def broken_rules(**parameters):
    """The names of the template's rules that refuse these parameters."""
    template = source("template")
    resolver = Resolver({**PSEUDO, **parameters}, {}, {})
    return [
        name
        for name, rule in template["Rules"].items()
        if resolver.resolve(rule["RuleCondition"]) and not all(resolver.resolve(it["Assert"]) for it in rule["Assertions"])
    ]


class Resolver:
    def __init__(self, values, conditions, resources):
        self.values, self.conditions, self.resources = values, conditions, resources

    def holds(self, condition):
        return condition is None or self.resolve(self.conditions[condition])

    def resolve(self, value):
        if isinstance(value, list):
            return [it for it in map(self.resolve, value) if it is not GONE]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            (function, argument) = next(iter(value.items()))
            if function in ("Ref", "Condition") or function.startswith("Fn::"):
                return self.call(function.removeprefix("Fn::"), argument)
        pairs = {key: self.resolve(it) for key, it in value.items()}
        return {key: it for key, it in pairs.items() if it is not GONE}

    def call(self, function, argument):
        if function == "Ref":
            return self.reference(argument)
        if function == "Condition":
            return self.holds(argument) if isinstance(argument, str) else self.resolve(argument)
        if function == "GetAtt":
            return ".".join(argument) if isinstance(argument, list) else argument
        if function == "Sub":
            text, own = argument if isinstance(argument, list) else (argument, {})
            values = {name: self.resolve(it) for name, it in own.items()}
            return re.sub(r"\$\{([^}]+)\}", lambda match: str(values.get(match[1]) or self.reference(match[1])), text)
        if function == "Join":
            return argument[0].join(str(it) for it in self.resolve(argument[1]))
        if function == "Split":
            separator, text = self.resolve(argument)
            return text.split(separator)
        if function == "If":
            return self.resolve(argument[1] if self.holds(argument[0]) else argument[2])
        arguments = self.resolve(argument)
        if function == "Equals":
            return str(arguments[0]) == str(arguments[1])
        if function == "Not":
            return not arguments[0]
        if function in ("And", "Or"):
            return (all if function == "And" else any)(arguments)
        raise ValueError(f"this resolver does not know Fn::{function}")

    def reference(self, name):
        if name == "AWS::NoValue":
            return GONE
        if name in self.values:
            return self.values[name]
        if name.split(".")[0] in self.resources:
            return name
        raise ValueError(f"nothing is called {name}")
