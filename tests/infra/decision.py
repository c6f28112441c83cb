"""IAM's decision, as far as the policies of this repository go: a matching Deny wins, then a matching Allow.

Nothing else is known here than actions, resources, one principal and a few operators, and anything else is an error. Not
moto's: it makes patterns regular expressions without escaping them, so that `$default` matches nothing and `?` is no
wildcard. Not ministack's: it does not know dynamodb:LeadingKeys, dynamodb:Attributes of updates, nor kms:ViaService.
"""

import re


def allowed(document, action, resource=None, principal=None, context=None):
    effects = {
        statement["Effect"]
        for statement in document["Statement"]
        if applies(statement, action, resource, principal, context or {})
    }
    return "Deny" not in effects and "Allow" in effects


def applies(statement, action, resource, principal, context):
    unknown = set(statement) - {"Sid", "Effect", "Action", "Resource", "Principal", "Condition"}
    if unknown:
        raise ValueError(f"this test does not know {unknown}")
    if not any(matches(pattern, action, re.IGNORECASE) for pattern in listed(statement["Action"])):
        return False
    if "Resource" in statement and not any(matches(pattern, resource) for pattern in listed(statement["Resource"])):
        return False
    if "Principal" in statement and principal not in listed(statement["Principal"]["AWS"]):
        return False
    conditions = statement.get("Condition", {}).items()
    return all(
        OPERATORS[operator](context.get(key), listed(values))
        for operator, keys in conditions
        for key, values in keys.items()
    )


def one_like(value, patterns):
    return value is not None and any(matches(pattern, value) for pattern in patterns)


# Of a value of the request and those of the policy. A key that the request lacks is None.
OPERATORS = {
    "StringEquals": lambda value, expected: value in expected,
    "StringLike": one_like,
    # The ARNs here have no wildcards.
    "ArnEquals": lambda value, expected: value in expected,
    "Bool": lambda value, expected: value is not None and str(value).lower() in expected,
    # True of no values at all, as in AWS.
    "ForAllValues:StringLike": lambda values, patterns: all(one_like(value, patterns) for value in values or []),
    "ForAllValues:StringEquals": lambda values, expected: all(value in expected for value in values or []),
    # False of no values at all, as in AWS.
    "ForAnyValue:StringLike": lambda values, patterns: any(one_like(value, patterns) for value in values or []),
}


def listed(value):
    return value if isinstance(value, list) else [value]


def matches(pattern, value, flags=0):
    """`*` is any number of characters, slashes as well; `?` is one."""
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(expression, value, flags | re.DOTALL) is not None
