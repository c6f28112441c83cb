"""A seller with a browser, and the vendor's backend that sends them to connect."""

import json
import urllib.parse

from offline_aws import RETURN_URL

SESSION = {"account_id": "customer-17", "account_label": "Ann", "return_url": RETURN_URL}


class Browser:
    """One cookie jar for the stack's public address, which is all that a seller's way needs."""

    def __init__(self, aws):
        self.aws = aws
        self.public = aws.outputs["PublicUrl"]
        self.cookies = {}

    def send(self, method, url, form=None):
        headers = {}
        if url.startswith(self.public) and self.cookies:
            headers["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        body = None
        if form:
            headers["content-type"] = "application/x-www-form-urlencoded"
            body = urllib.parse.urlencode(form).encode()
        status, answered, page = self.aws.fetch(method, url, body=body, headers=headers)
        for cookie in answered.get_all("set-cookie") or []:
            name, value = cookie.split(";")[0].split("=", 1)
            self.cookies[name] = value
        location = answered.get("location")
        return status, urllib.parse.urljoin(url, location) if location else None, page.decode()

    def connect(self, connect_url, app, seller):
        """From the connect link to the vendor's own page; what its address says."""
        status, _, page = self.send("GET", connect_url)
        assert status == 200 and app.split("/")[0] in page, (status, page)
        status, link, page = self.send("GET", f"{connect_url}/{app}")
        assert status in (302, 303), (status, page)
        place, query = link.split("?")
        yes = "approve" if app.startswith("temu/") else "authorize"
        answer = [*urllib.parse.parse_qsl(query), ("seller", seller), ("decision", yes)]
        status, at, page = self.send("POST", place, answer)
        assert status in (302, 303), (status, page)
        while not at.startswith(RETURN_URL):
            status, following, page = self.send("GET", at)
            assert following, (status, at.split("?")[0], page)
            at = following
        return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(at).query))


class Backend:
    """Calls the service API with these credentials."""

    def __init__(self, aws, credentials):
        self.aws, self.credentials = aws, credentials

    def call(self, method, path, body=None, headers=None):
        data = json.dumps(body).encode() if body is not None else None
        headers = {"content-type": "application/json", **(headers or {})} if data else (headers or {})
        url = self.aws.outputs["ServiceUrl"] + path
        status, answered, text = self.aws.fetch(method, url, self.credentials, data, headers)
        return status, answered, json.loads(text) if text else None

    def connect(self, app, seller):
        """A seller connects, and comes back to be confirmed."""
        status, _, session = self.call("POST", "/v1/connect-sessions", SESSION)
        assert status == 201, session
        back = Browser(self.aws).connect(session["connect_url"], app, seller)
        status, _, confirmed = self.call(
            "POST", f"/v1/connect-sessions/{session['session_id']}/confirm", {"result": back["result"]}
        )
        assert status == 200, confirmed
        return session, back, confirmed
