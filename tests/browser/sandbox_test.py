"""The sandbox clicked through in a real browser, as docs/sandbox.md describes it.

Run by `make verify`; alone: .tools/verify/bin/python tests/browser/sandbox_test.py, after
`make build`.
"""

import re
import unittest

from people import PHONE, BrowserTest
from sandbox import Sandbox

ANN = "Ann's Attic Ltd."
BEN = "Ben's Books Ltd."

ANNS_SHOP = "tiktok-shop/us/ann-attic"
BENS_SHOP = "tiktok-shop/global/bens-books"
BENS_STORE = "temu/us/634418212005"

# Longer than any name, session id or result on a page: tokens of TikTok Shop have a prefix, those of Temu are 52 letters and
# digits or more.
TOKEN = re.compile(r"\bTT[PR]_[\w-]{20,}|\b[a-z0-9]{52,}\b")


def setUpModule():
    global sandbox
    sandbox = unittest.enterModuleContext(Sandbox())
    BrowserTest.OWN_HOSTS = [sandbox.vendor, sandbox.keyring]


class AcmeListing(BrowserTest):
    def tearDown(self):
        super().tearDown()
        # What people see has no token, whatever they click.
        for person in self.people:
            for url, html in person.seen:
                self.assertNotRegex(html, TOKEN, url)
                for connection in (ANNS_SHOP, BENS_SHOP, BENS_STORE):
                    token = sandbox.token(connection)[1].get("access_token")
                    self.assertFalse(token and token in html, f"{url} shows the token of {connection}")

    def logged_in(self, customer, *options, **more_options):
        person = self.person(*options, **more_options)
        person.open(sandbox.vendor)
        person.press(f"Log in as {customer}")
        return person

    def connect_anns_shop(self, ann):
        ann.open(sandbox.vendor)
        ann.press("Connect a shop")
        ann.follow("/tiktok-shop/us")
        ann.choose("Ann's Attic")
        return ann.press("Authorize")

    def test_a_customer_connects_a_seller_and_sees_it_work(self):
        ann = self.logged_in(ANN)
        said = self.connect_anns_shop(ann)
        self.assertIn(f"{ANNS_SHOP} is connected.", said)
        ann.page.reload()
        self.assertIn(f"{ANNS_SHOP} is connected.", ann.look(), "loading the page again confirms again")

        home = ann.press("Your shops")
        self.assertIn("Ann's Attic (US), Ann's Outlet (US)", home)
        status, served = sandbox.token(ANNS_SHOP)
        self.assertEqual(status, 200)
        self.assertRegex(served["access_token"], TOKEN)
        said = ann.press("Ask for the token")
        self.assertRegex(said, r"… \d+ characters that end with \S{4}")

    def test_events_appear_without_a_reload_and_leave_a_selection_alone(self):
        ann = self.logged_in(ANN)
        self.connect_anns_shop(ann)
        ann.press("Your shops")
        ann.waits_for("Connection Created")
        ann.waits_for("UTC: due")
        ann.page.locator('[data-live="sweeps"]').select_text()
        selected = ann.page.evaluate("document.getSelection().toString()")

        colleague = self.logged_in(ANN)
        colleague.press("Disconnect")
        self.assertIn("Disconnect Ann's Attic?", colleague.look())
        colleague.press("Disconnect")
        self.assertEqual(sandbox.token(ANNS_SHOP)[0], 410)
        # The sweep that publishes this is news as well, but its part of the page is selected.
        ann.waits_for("Connection Disconnected")
        self.assertEqual(ann.page.evaluate("document.getSelection().toString()"), selected)
        ann.waits_for("Your shops have changed")
        ann.press("Your shops have changed")
        self.assertFalse(ann.page.get_by_role("link", name="Ask for the token").is_visible())

    def test_a_stolen_link_connects_nothing(self):
        ann = self.logged_in(ANN)
        ann.press("Connect a shop")
        link = ann.page.url

        ben = self.person(PHONE)
        ben.open(link)
        ben.follow("/tiktok-shop/global")
        ben.choose("Ben's Books")
        ben.press("Authorize")
        # Ben was not logged in, and the login does not lose what he came back with.
        said = ben.press(f"Log in as {BEN}")
        self.assertIn("This link was made for another customer", said)
        self.assertIn("account_mismatch", said)
        ben.page.reload()
        self.assertIn("This link was made for another customer", ben.look())
        self.assertNotIn(BENS_SHOP, ben.press("Your shops"))

        status, problem = sandbox.token(BENS_SHOP)
        self.assertEqual((status, problem["code"]), (409, "pending"))
        home = ann.open(sandbox.vendor)
        self.assertIn("waits for the confirmation", re.sub(r"\s+", " ", home))
        self.assertNotIn("Ben's Books", home)

    def test_a_link_ends_with_the_login_it_was_opened_in(self):
        both = self.logged_in(ANN)
        both.press("Connect a shop")
        link = both.page.url
        both.open(sandbox.vendor)
        both.press("Log out")
        both.press(f"Log in as {BEN}")
        both.open(link)
        both.follow("/tiktok-shop/us")
        both.press("Deny")
        self.assertIn("This link was made for another customer", both.follow("session_id="))

    def test_a_customer_reconnects_one_connection_and_no_other_seller_takes_its_place(self):
        ann = self.logged_in(ANN)
        self.connect_anns_shop(ann)
        version = sandbox.token(ANNS_SHOP)[1]["version"]
        ann.press("Your shops")
        ann.press("Reconnect")
        ann.follow("/tiktok-shop/us")
        ann.choose("Ann's Attic")
        self.assertIn(f"{ANNS_SHOP} is connected.", ann.press("Authorize"))
        self.assertGreater(sandbox.token(ANNS_SHOP)[1]["version"], version)

        ann.press("Your shops")
        ann.press("Reconnect")
        ann.follow("/tiktok-shop/us")
        ann.choose("Ben's Books")
        ann.press("Authorize")
        self.assertIn("You authorized another shop", ann.follow("session_id="))

    def test_another_site_cannot_send_a_form(self):
        ann = self.logged_in(ANN)
        self.connect_anns_shop(ann)
        # Another port of this host: the same site to a browser, so that the cookie comes along.
        ann.press("Your shops")
        ann.press("Connect a shop")
        ann.follow("/tiktok-shop/us")
        sends = """action => {
            document.body.innerHTML = `<form method="post" action="${action}"><button>Win</button></form>`;
        }"""
        ann.page.evaluate(sends, f"{sandbox.vendor}/connections/{ANNS_SHOP}/disconnect")
        self.assertIn("Another site sent this form", ann.press("Win"))
        self.assertEqual(sandbox.token(ANNS_SHOP)[0], 200)

    def test_without_scripts_on_a_phone_a_customer_connects_a_store_of_temu(self):
        ben = self.logged_in(BEN, PHONE, java_script_enabled=False)
        ben.press("Connect a shop")
        ben.follow("/temu")
        ben.follow("seller=local")
        ben.follow("/temu/us")
        ben.choose("Ben, a local seller")
        said = ben.press("Approve")
        self.assertIn(f"{BENS_STORE} is connected.", said)
        self.assertIn(BENS_STORE, ben.press("Your shops"))
        self.assertRegex(sandbox.token(BENS_STORE)[1]["access_token"], TOKEN)
        ann = self.logged_in(ANN)
        self.assertNotIn(BENS_STORE, ann.look())
        self.assertIn("no such page", ann.open(f"{sandbox.vendor}/connections/{BENS_STORE}/token"))


if __name__ == "__main__":
    unittest.main()
