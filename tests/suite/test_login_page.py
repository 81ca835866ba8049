"""People log in at the front page and at the API pages, in a real browser."""

import json
import re
from collections.abc import Iterator

import pytest
import requests
from playwright.sync_api import Page, expect
from tests.peers.browser import Tab, opened
from tests.peers.oidc import SECRET, Oidc
from tests.suite.conftest import free_port
from tests.suite.running import Clone, Run

pytestmark = [pytest.mark.suite, pytest.mark.timeout(300)]

# What the browser itself logs of an answer that is no success.
EXPECTED = re.compile(r".*: Failed to load resource: the server responded with a status of 401")
KEPT = "sessionStorage.getItem('pyispyb.login')"


@pytest.fixture(scope="module")
def run(clone: Clone) -> Iterator[Run]:
    """The suite, where people log in by a password or by the site's OpenID provider."""
    port = free_port(clone.port)
    with Oidc(f"http://127.0.0.1:{port}/auth/browser/site/callback") as site:
        provider = {
            "kind": "oidc",
            "title": "the site",
            "issuer": site.issuer,
            "client_id": "ispyb",
            "client_secret": SECRET,
        }
        variables = {"ISPYB_AUTH__PROVIDERS__SITE": json.dumps(provider)}
        with clone.twin("state of pages", port, **variables).start() as run:
            yield run


@pytest.fixture
def tab(run: Run) -> Iterator[Tab]:
    """A browser of this test's own; nothing of ours goes wrong in it, no token goes into a URL."""
    with opened() as tab:
        yield tab
        kept = json.loads(tab.page.evaluate(KEPT) or "{}")
        ours = [fault for fault in tab.faults if fault.startswith(run.clone.url)]
        assert [fault for fault in ours if not EXPECTED.match(fault)] == []
        for secret in (kept.get("token"), kept.get("refreshToken")):
            assert secret is None or not [url for url in tab.urls if secret in url]


def log_in(page: Page, login: str, password: str) -> None:
    """Fill in the form and send it."""
    page.get_by_label("Login", exact=True).fill(login)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Log in", exact=True).click()


def log_in_at_the_site(page: Page, login: str) -> None:
    """Go to the site's own login, through it, and come back."""
    page.get_by_role("link", name="Log in by the site").click()
    page.locator("input[name=login]").fill(login)
    page.locator("input[name=password]").fill("any")
    page.locator("button[type=submit]").click()
    page.locator("button[type=submit]").click()  # agrees


def test_a_password_opens_the_front_page_and_logging_out_ends_the_token(run: Run, tab: Tab) -> None:
    page = tab.page
    page.goto(run.clone.url)
    log_in(page, "alice", "alice-demo")
    expect(page.get_by_text("You are alice (Alice Member)")).to_be_visible()
    expect(page.get_by_text(re.compile(r"\d+ permissions"))).to_be_visible()
    page.get_by_role("button", name="Show access token").click()
    shown = page.get_by_label("access token", exact=True).input_value()
    assert shown == json.loads(page.evaluate(KEPT))["token"]
    refresh = json.loads(page.evaluate(KEPT))["refreshToken"]
    page.reload()
    expect(page.get_by_text("You are alice")).to_be_visible()
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_label("Login", exact=True)).to_be_visible()
    assert page.evaluate(KEPT) is None
    body = {"refreshToken": refresh}
    answer = requests.post(f"{run.clone.url}/auth/refresh", json=body, timeout=10)
    assert answer.status_code == 401


def test_a_wrong_password_is_told_and_forgotten(run: Run, tab: Tab) -> None:
    page = tab.page
    page.goto(run.clone.url)
    log_in(page, "alice", "not-hers")
    expect(page.get_by_role("alert")).to_have_text("Login or password is wrong.")
    expect(page.get_by_label("Password", exact=True)).to_have_value("")
    assert page.evaluate(KEPT) is None


def test_the_site_logs_in_and_leaves_nothing_in_the_address(run: Run, tab: Tab) -> None:
    page = tab.page
    page.goto(run.clone.url)
    log_in_at_the_site(page, "alice")
    expect(page.get_by_text("You are alice (Alice Member)")).to_be_visible()
    assert page.url == f"{run.clone.url}/"
    assert "login_code" not in page.evaluate("location.href")


def test_a_refusal_of_the_site_is_told(run: Run, tab: Tab) -> None:
    page = tab.page
    page.goto(f"{run.clone.url}/#login_error=refused")
    expect(page.get_by_role("alert")).to_have_text("The site's login has refused you.")
    assert page.url == f"{run.clone.url}/"


@pytest.mark.parametrize("by", ["password", "the site"])
def test_authorize_of_an_api_page_logs_in_and_the_page_calls_as_that_person(
    run: Run, tab: Tab, by: str
) -> None:
    page = tab.page
    page.goto(f"{run.clone.url}/core/docs")
    page.get_by_role("button", name="Authorize").first.click()
    if by == "password":
        log_in(page, "alice", "alice-demo")
    else:
        log_in_at_the_site(page, "alice")
        expect(page).to_have_url(f"{run.clone.url}/core/docs")
        page.get_by_role("button", name="Authorize").first.click()
    expect(page.get_by_text("You are alice")).to_be_visible()
    page.get_by_role("button", name="Close").first.click()
    operation = page.locator(".opblock-get:has([data-path='/core/user/current'])")
    operation.locator(".opblock-summary-control").click()
    operation.get_by_role("button", name="Try it out").click()
    operation.get_by_role("button", name="Execute").click()
    answer = operation.locator(".live-responses-table")
    expect(answer.locator(".response-col_status").last).to_contain_text("200")
    expect(answer).to_contain_text('"login": "alice"')


def test_a_login_is_known_to_every_page_of_the_tab(run: Run, tab: Tab) -> None:
    page = tab.page
    page.goto(run.clone.url)
    log_in(page, "alice", "alice-demo")
    expect(page.get_by_text("You are alice")).to_be_visible()
    for service in ("auth", "core", "ssx"):
        page.goto(f"{run.clone.url}/{service}/docs")
        page.get_by_role("button", name="Authorize").first.click()
        expect(page.get_by_text("You are alice")).to_be_visible()


def test_the_front_page_fits_a_telephone(run: Run) -> None:
    with opened(width=360) as tab:
        tab.page.goto(run.clone.url)
        expect(tab.page.get_by_label("Login", exact=True)).to_be_visible()
        widths = "[document.documentElement.scrollWidth, innerWidth]"
        page, window = tab.page.evaluate(widths)
        assert page <= window
