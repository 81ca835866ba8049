"""People log in at the front page and at the API pages, in a real browser."""

import json
import re
import time
from collections.abc import Iterator

import pytest
import requests
from playwright.sync_api import Page, Route, expect
from tests.peers.browser import Tab, opened
from tests.peers.oidc import SECRET, Oidc
from tests.secrets_watch import note
from tests.suite.conftest import free_port
from tests.suite.running import Clone, Run

pytestmark = [pytest.mark.suite, pytest.mark.timeout(300)]

# What the browser itself logs of an answer that is no success.
EXPECTED = re.compile(r".*: Failed to load resource: the server responded with a status of 401")
TOKENS = {"token": "t.o.k", "refreshToken": "another", "expiresIn": 900, "tokenType": "Bearer"}
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
        for secret in filter(None, (kept.get("token"), kept.get("refreshToken"))):
            assert not [url for url in tab.urls if secret in url]
            note("token", secret)


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
    expect(page).to_have_url(f"{run.clone.url}/")
    page.go_back()
    page.go_forward()
    expect(page.get_by_text("You are alice")).to_be_visible()
    expect(page).to_have_url(f"{run.clone.url}/")


def test_a_refusal_of_the_site_is_told(run: Run, tab: Tab) -> None:
    page = tab.page
    page.goto(f"{run.clone.url}/#login_error=refused")
    refused = "The site's login has refused you."
    expect(page.get_by_role("alert")).to_have_text(refused)
    expect(page).to_have_url(f"{run.clone.url}/")
    page.goto(f"{run.clone.url}/ssx/docs#login_error=refused")
    expect(page.get_by_role("alert")).to_have_text(refused)
    log_in(page, "alice", "alice-demo")
    expect(page.get_by_text("You are alice")).to_be_visible()
    page.get_by_role("button", name="Close").first.click()
    page.get_by_role("button", name="Authorize").first.click()
    expect(page.get_by_text("You are alice")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_text("")


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


def kept_refresh(page: Page) -> str | None:
    """The refresh token that the tab keeps."""
    kept = json.loads(page.evaluate(KEPT) or "{}")
    refresh = kept.get("refreshToken")
    assert refresh is None or isinstance(refresh, str)
    return refresh


@pytest.mark.parametrize("how", ["in time", "after a sleep", "after a late reload"])
def test_a_login_is_renewed_before_it_ends_and_after_the_machine_slept(
    run: Run, tab: Tab, how: str
) -> None:
    page = tab.page
    page.clock.install()
    page.goto(run.clone.url)
    log_in(page, "alice", "alice-demo")
    expect(page.get_by_text("You are alice (Alice Member)")).to_be_visible()
    first = kept_refresh(page)
    with page.expect_response("**/auth/refresh") as renewed:
        if how == "in time":
            page.clock.fast_forward("14:10")
        elif how == "after a sleep":
            # The timers stood still, the time of day did not.
            page.clock.set_fixed_time(time.time() + 3600)
            page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
            page.clock.run_for(1000)
        else:
            page.evaluate(
                f"sessionStorage.setItem('pyispyb.login', JSON.stringify({{...JSON.parse({KEPT}),"
                " until: 1}))"
            )
            page.reload()
    assert renewed.value.status == 200
    page.wait_for_function(f"JSON.parse({KEPT}).refreshToken !== {json.dumps(first)}")
    expect(page.get_by_text("You are alice (Alice Member)")).to_be_visible()


def test_whoever_logs_out_while_the_login_is_renewed_stays_logged_out(run: Run, tab: Tab) -> None:
    page = tab.page
    page.clock.install()
    page.goto(run.clone.url)
    log_in(page, "alice", "alice-demo")
    expect(page.get_by_text("You are alice (Alice Member)")).to_be_visible()
    held: list[Route] = []
    page.route("**/auth/refresh", lambda route: held.append(route))
    with page.expect_request("**/auth/refresh"):
        page.clock.fast_forward("14:10")
    with page.expect_response("**/auth/logout"):
        page.get_by_role("button", name="Log out").click()
    with page.expect_response("**/auth/refresh"):
        held[0].fulfill(json={**TOKENS, "login": "alice"})
    expect(page.get_by_role("link", name="Log in by the site")).to_be_focused()
    assert page.evaluate(KEPT) is None
    expect(page.get_by_text("You are alice")).to_have_count(0)


@pytest.mark.parametrize(
    ("status", "headers", "body", "told"),
    [
        (429, {"Retry-After": "7"}, {"detail": "wait"}, "Too many attempts. Try again in 7 s."),
        (503, {}, {"detail": "ldap does not answer"}, "ldap does not answer. Try again in a mo"),
        (502, {}, {"message": "no live upstreams"}, "no live upstreams. Try again in a moment."),
        (422, {}, {"errors": [{"field": "login", "detail": "too long"}]}, "Login: too long."),
        (500, {}, "<html>", "No answer. Try again in a moment."),
        (None, {}, None, "The server cannot be reached."),
    ],
)
def test_what_a_person_reads_of_each_refusal(
    run: Run, status: int | None, headers: dict[str, str], body: object, told: str
) -> None:
    def answer(route: Route) -> None:
        if status is None:
            route.abort()
        else:
            route.fulfill(status=status, headers=headers, body=json.dumps(body))

    with opened() as tab:
        tab.page.route("**/auth/login", answer)
        tab.page.goto(run.clone.url)
        log_in(tab.page, "alice", "alice-demo")
        expect(tab.page.get_by_role("alert")).to_contain_text(told)
        expect(tab.page.get_by_label("Password", exact=True)).to_be_focused()


def test_an_auth_of_the_sites_own_that_tells_nothing_takes_a_password(run: Run) -> None:
    with opened() as tab:
        tab.page.route("**/auth/config", lambda route: route.fulfill(status=404, json={}))
        tab.page.goto(run.clone.url)
        log_in(tab.page, "alice", "alice-demo")
        expect(tab.page.get_by_text("You are alice (Alice Member)")).to_be_visible()


def test_the_front_page_fits_a_telephone(run: Run) -> None:
    with opened(width=360) as tab:
        tab.page.goto(run.clone.url)
        expect(tab.page.get_by_label("Login", exact=True)).to_be_visible()
        widths = "[document.documentElement.scrollWidth, innerWidth]"
        page, window = tab.page.evaluate(widths)
        assert page <= window
