"""People with browsers: a real Chromium, without a window, driven by Playwright.

Each person has a browser context: cookies, viewport and pages of their own. What a page complains about in its console,
violations of its Content-Security-Policy among it, fails the test; so does a page that scrolls sideways. After a failure
there is a picture of each person's page in target/browser/.

CHROMIUM names the program, `chromium` by default.
"""

import os
import pathlib
import shutil
import unittest

from playwright.sync_api import sync_playwright

ROOT = pathlib.Path(__file__).parents[2]
PICTURES = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "browser"

DESKTOP = {"viewport": {"width": 1280, "height": 800}}
PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "has_touch": True, "is_mobile": True}

# No page needs longer, and what comes with a sweep comes within two of them.
PATIENCE = 15_000

FLAGS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


class Person:
    """Somebody with a browser of their own. The page is `page`, for all that this class has no words for."""

    def __init__(self, context, own_hosts):
        context.set_default_timeout(PATIENCE)
        self.context = context
        self.own_hosts = own_hosts
        self._complaints = []
        # Every page of ours that was looked at, as (address, HTML).
        self.seen = []
        self._error_pages = set()
        context.on("response", self._receive)
        context.on("console", self._hear)
        context.on("weberror", lambda error: self._complaints.append((str(error.error), error.page.url)))
        self.page = context.new_page()

    def _receive(self, response):
        if response.status >= 400 and response.request.is_navigation_request():
            self._error_pages.add(response.url)

    def _hear(self, message):
        if message.type == "error":
            self._complaints.append((message.text, message.location.get("url")))

    def complaints(self):
        """What the pages complained about. Responses such as 404 are pages to look at, though Chromium complains about each."""
        return [
            f"{text} ({url})"
            for text, url in self._complaints
            if not (text.startswith("Failed to load resource") and url in self._error_pages)
        ]

    def open(self, url):
        self.page.goto(url)
        return self.look()

    def press(self, name):
        """Presses the first button or link with this in its name, and looks at the page that follows."""
        return self._go(self.page.get_by_role("button", name=name).or_(self.page.get_by_role("link", name=name)))

    def follow(self, part):
        """Follows the first link with this in its address: for pages whose words are not what the test is about."""
        return self._go(self.page.locator(f'a[href*="{part}"]'))

    def _go(self, way):
        with self.page.expect_navigation():
            way.first.click()
        return self.look()

    def choose(self, name):
        self.page.get_by_label(name).check()

    def look(self):
        """The page's text. The page itself is remembered."""
        self.page.wait_for_load_state()
        url = self.page.url
        if any(url.startswith(host) for host in self.own_hosts):
            self.seen.append((url, self.page.content()))
            wide = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            if wide > 0:
                self._complaints.append((f"the page is {wide} pixels wider than the window", url))
        return self.page.inner_text("body")

    def waits_for(self, text):
        """Waits until the page says so, without loading it again."""
        self.page.get_by_text(text).first.wait_for()
        return self.look()


class BrowserTest(unittest.TestCase):
    """A test with people. `OWN_HOSTS` are the addresses of pages that are ours to answer for."""

    OWN_HOSTS = []

    @classmethod
    def setUpClass(cls):
        program = shutil.which(os.environ.get("CHROMIUM") or "chromium")
        if program is None:
            raise RuntimeError("there is no Chromium: install it, or name it by CHROMIUM")
        playwright = cls.enterClassContext(sync_playwright())
        # Chromium's own sandbox does not work for root.
        is_root = os.geteuid() == 0
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS, chromium_sandbox=not is_root)
        cls.addClassCleanup(browser.close)
        cls.browser = browser

    def run(self, result=None):
        self.people = []
        result = result or self.defaultTestResult()
        failed_before = len(result.failures) + len(result.errors)
        super().run(result)
        if len(result.failures) + len(result.errors) > failed_before:
            self._take_pictures()
        for person in self.people:
            person.context.close()
        return result

    def tearDown(self):
        for person in self.people:
            self.assertEqual(person.complaints(), [])

    def person(self, device=DESKTOP, **options):
        person = Person(self.browser.new_context(**device, **options), self.OWN_HOSTS)
        self.people.append(person)
        return person

    def _take_pictures(self):
        PICTURES.mkdir(parents=True, exist_ok=True)
        for number, person in enumerate(self.people, 1):
            picture = PICTURES / f"{self.id().rpartition('.')[2]}-{number}.png"
            person.page.screenshot(path=picture, full_page=True)
            print(f"the page of person {number}: {picture}")
