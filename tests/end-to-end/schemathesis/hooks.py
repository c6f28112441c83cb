"""Signs what schemathesis sends with Signature Version 4, as the vendor's services do."""

import os

import schemathesis
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from requests.auth import AuthBase

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
def before_call(context, case, kwargs):
    """Puts what the stack has in the place of what the contract's examples name, and ends only a seller made for it."""
    parameters = case.path_parameters
    if parameters.get("id") == os.environ["EXAMPLE_SESSION"]:
        parameters["id"] = os.environ["SESSION"]
    if case.method == "DELETE" and parameters.get("seller_id") == os.environ["SELLER"]:
        parameters["seller_id"] = os.environ["SELLER_TO_END"]
    if isinstance(case.body, dict) and case.body.get("result") == os.environ["EXAMPLE_RESULT"]:
        case.body = {**case.body, "result": os.environ["RESULT"]}
