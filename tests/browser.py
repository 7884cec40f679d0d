"""A real browser for the pages that doltap writes: headless Chromium, driven by selenium."""

from __future__ import annotations

import base64
import contextlib
import json
import pathlib
import shutil

import pytest

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")


class Browser:
    """One window: what it showed, what it complained about, and what it asked the network for."""

    def __init__(self, driver):
        self.driver = driver
        # Every address that was asked for, and every complaint since the page was opened.
        self.addresses: list[str] = []
        self.complaints: list[str] = []

    def open(self, address, *, dark=False, width=1100, height=900, locale="en-US"):
        """Show a file or an address, in a window of this size, in a light or a dark theme."""
        address = address.resolve().as_uri() if isinstance(address, pathlib.Path) else address
        theme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.send("Emulation.setEmulatedMedia", media="", features=[theme])
        self.send("Emulation.setLocaleOverride", locale=locale)
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.send("Emulation.setDeviceMetricsOverride", **size)
        self.look()
        self.addresses.clear()
        self.complaints.clear()
        self.driver.get(address)
        return self

    def send(self, command, **parameters):
        """A command of Chromium's own protocol, and its answer."""
        return self.driver.execute_cdp_cmd(command, parameters)

    def run(self, script, *arguments):
        """What a piece of JavaScript returns."""
        return self.driver.execute_script(script, *arguments)

    def find(self, selector):
        """The elements that a CSS selector means."""
        return self.driver.find_elements("css selector", selector)

    def look(self):
        """Take up what was asked for and complained about since the last look."""
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                self.addresses.append(message["params"]["request"]["url"])
        self.complaints += [entry["message"] for entry in self.driver.get_log("browser")]

    def console_errors(self):
        """What the page complained about since it was opened: errors and warnings of the console."""
        self.look()
        return list(self.complaints)

    def requests(self):
        """The addresses that were asked for since the page was opened, its own and data in it left out."""
        self.look()
        own = self.driver.current_url.partition("#")[0]
        return [each for each in self.addresses if not each.startswith("data:") and each != own]

    def pdf(self):
        """The page as it would be printed, on A4."""
        size = {"paperWidth": 8.27, "paperHeight": 11.69}
        return base64.b64decode(self.send("Page.printToPDF", printBackground=True, **size)["data"])

    def screenshot(self, path=None):
        """A picture of what the window shows, as PNG; written to the path if there is one."""
        picture = self.driver.get_screenshot_as_png()
        if path is not None:
            pathlib.Path(path).write_bytes(picture)
        return picture


@contextlib.contextmanager
def started():
    """A browser, or the test is skipped with the reason."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    chromedriver = shutil.which("chromedriver")
    if program is None or chromedriver is None:
        pytest.skip("Chromium is not installed: apt-get install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = program
    # Containers have neither the rights for the sandbox nor much shared memory.
    for word in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"):
        options.add_argument(word)
    options.add_argument("--hide-scrollbars")
    options.set_capability("goog:loggingPrefs", {"browser": "WARNING", "performance": "ALL"})
    service = webdriver.ChromeService(executable_path=chromedriver)
    driver = webdriver.Chrome(options=options, service=service)
    # Selenium would wait five minutes.
    driver.set_page_load_timeout(60)
    driver.set_script_timeout(60)
    try:
        yield Browser(driver)
    finally:
        driver.quit()


@pytest.fixture(scope="session")
def _chromium():
    with started() as browser:
        yield browser


@pytest.fixture
def browser(_chromium):
    """Headless Chromium on an empty page; the test is skipped where it is not installed."""
    _chromium.open("about:blank")
    return _chromium
