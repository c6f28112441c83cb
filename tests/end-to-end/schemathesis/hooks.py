"""Signs what schemathesis sends with Signature Version 4, as the vendor's services do."""

import os
import re

import schemathesis
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from requests.auth import AuthBase

# Methods that change a connection, and who is there for it.
MADE_FOR = {"DELETE": "SELLER_TO_END", "PATCH": "SELLER_TO_ASSIGN"}

CREDENTIALS = Credentials(os.environ["ACCESS_KEY_ID"], os.environ["SECRET_ACCESS_KEY"])


class Signature(AuthBase):
    """Signs the request as it will be sent. Of the headers only the host and the time: the others may be anything."""

    def __call__(self, request):
        unsigned = AWSRequest(method=request.method, url=request.url, data=request.body)
        SigV4Auth(CREDENTIALS, "execute-api", os.environ["REGION"]).add_auth(unsigned)
        for name in ("Authorization", "X-Amz-Date"):
            request.headers[name] = unsigned.headers[name]
        return request


schemathesis.auth.set_from_requests(Signature())


@schemathesis.hook
def before_load_schema(context, raw_schema):
    """Where there are headers beside the signature, schemathesis leaves the signature out to see the request refused; but
    that is put back above."""
    for path in raw_schema["paths"].values():
        for operation in path.values():
            if any(parameter["in"] == "header" for parameter in operation.get("parameters", [])):
                operation["security"] = []


@schemathesis.hook
def before_call(context, case, kwargs):
    """Puts what the stack has in the place of what the contract's examples name; changes and ends only sellers made for it."""
    parameters = case.path_parameters
    if parameters.get("session_id") == os.environ["EXAMPLE_SESSION"]:
        parameters["session_id"] = os.environ["SESSION"]
    if case.method in MADE_FOR and parameters.get("seller_id") == os.environ["SELLER"]:
        parameters["seller_id"] = os.environ[MADE_FOR[case.method]]
    tag = case.headers.get("If-Match")
    # The tag of the moment, no contract can know. And while it walks the bounds of other parameters, schemathesis takes
    # an empty one to be of the contract's form.
    is_good = case.meta.generation.mode.is_positive
    if tag is not None and (re.fullmatch(r'"[0-9]{1,19}"', tag) or (is_good and not tag)):
        case.headers["If-Match"] = "*"
    if isinstance(case.body, dict) and case.body.get("result") == os.environ["EXAMPLE_RESULT"]:
        case.body = {**case.body, "result": os.environ["RESULT"]}
