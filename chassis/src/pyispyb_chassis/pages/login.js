// The login of every page of the suite: the front page and the three API pages.
//
// Tokens live in this tab's sessionStorage: they outlast a reload and the way from page to page,
// and end with the tab. The policy of these pages runs no script but this origin's own.
(function () {
  "use strict";

  const KEPT = "pyispyb.login";
  const RENEWED_BEFORE = 60000; // ms before the access token expires
  const TRIED_AGAIN = 10000;
  const LONGEST_TIMER = 2 ** 31 - 1; // a browser takes more for none at all
  const REFUSED_BY_PROVIDER = {
    refused: "The site's login has refused you.",
    expired: "That took too long, or it was begun in another browser. Log in again.",
    unavailable: "The site's login does not answer just now. Try again in a moment.",
  };
  const heard = new Set();
  let timer = null;
  let untold = ""; // why a login by browser failed, until it is shown

  class Fault extends Error {
    constructor(status, text) {
      super(text);
      this.status = status;
    }
  }

  // One request for JSON; a Fault that a person can read, whoever made the answer.
  async function ask(path, { body, token } = {}) {
    const headers = token ? { Authorization: `Bearer ${token}` } : {};
    if (body) headers["Content-Type"] = "application/json";
    let answer;
    try {
      answer = await fetch(path, {
        method: body ? "POST" : "GET",
        headers,
        body: body && JSON.stringify(body),
        credentials: "same-origin",
        redirect: "error",
      });
    } catch {
      throw new Fault(0, "The server cannot be reached.");
    }
    const said = answer.status === 204 ? {} : await answer.json().catch(() => ({}));
    if (answer.ok) return said;
    throw new Fault(answer.status, reason(answer, said));
  }

  function reason(answer, said) {
    const seconds = answer.headers.get("Retry-After");
    if (answer.status === 429) return `Too many attempts. Try again in ${seconds || "some"} s.`;
    const errors = (said.errors || []).map((error) => `${error.field}: ${error.detail}`);
    const told = errors.join("; ") || said.detail || said.message;
    if (answer.status >= 500) return `${told || "No answer"}. Try again in a moment.`;
    return told ? told[0].toUpperCase() + told.slice(1) + "." : `Refused (${answer.status}).`;
  }

  // What this tab keeps; its access token may have expired while the machine slept.
  function stored() {
    try {
      return JSON.parse(sessionStorage.getItem(KEPT));
    } catch {
      return null;
    }
  }

  function current() {
    const kept = stored();
    return kept && kept.until > Date.now() ? kept : null;
  }

  function begin(tokens) {
    const until = Date.now() + tokens.expiresIn * 1000;
    const kept = { login: tokens.login, token: tokens.token, refreshToken: tokens.refreshToken };
    sessionStorage.setItem(KEPT, JSON.stringify({ ...kept, until }));
    renewInTime();
    tell();
  }

  function forget() {
    clearTimeout(timer);
    sessionStorage.removeItem(KEPT);
    tell();
  }

  async function end() {
    const { refreshToken, token } = stored() || {};
    forget();
    if (refreshToken) await ask("/auth/logout", { body: { refreshToken }, token }).catch(() => {});
  }

  function tell() {
    heard.forEach((listener) => listener(current()));
  }

  function renewInTime() {
    clearTimeout(timer);
    const kept = stored();
    if (!kept) return;
    const left = kept.until - Date.now();
    const due = kept.refreshToken ? Math.max(left - RENEWED_BEFORE, left / 2) : left;
    timer = setTimeout(kept.refreshToken ? renew : forget, Math.min(due, LONGEST_TIMER));
  }

  async function renew() {
    clearTimeout(timer);
    const { refreshToken } = stored() || {};
    if (!refreshToken) return forget();
    // Whoever logged out while the answer was on its way stays logged out.
    const stillKept = () => (stored() || {}).refreshToken === refreshToken;
    try {
      const tokens = await ask("/auth/refresh", { body: { refreshToken } });
      if (stillKept()) begin(tokens);
    } catch (fault) {
      if (!stillKept()) return;
      if (fault.status === 401) return forget();
      timer = setTimeout(renew, TRIED_AGAIN);
    }
  }

  // Timers are late after a sleep, and a page brought back may have missed a logout on another.
  function wake() {
    renewInTime();
    if (current() || !stored()) tell();
  }

  // What a provider's page sent back with the browser; out of the address and the history at once.
  async function comeBack() {
    const said = new URLSearchParams(location.hash.slice(1));
    const code = said.get("login_code");
    const error = said.get("login_error");
    if (!code && !error) return;
    history.replaceState(null, "", location.pathname + location.search);
    if (error) {
      untold = REFUSED_BY_PROVIDER[error] || "The site's login has failed.";
      return;
    }
    try {
      begin(await ask("/auth/browser/tokens", { body: { code } }));
    } catch (fault) {
      untold = fault.message;
    }
  }

  async function arrive() {
    await comeBack();
    if (stored() && !current()) await renew();
    else renewInTime();
  }

  // A site's own auth service need not say what it has: then it takes a login and a password.
  async function providers() {
    try {
      return (await ask("/auth/config")).providers;
    } catch (fault) {
      if (fault.status === 404) return [{ name: "", takes: ["password"] }];
      throw fault;
    }
  }

  function make(tag, properties, ...children) {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  }

  // No paragraphs: Swagger UI dresses those in its own way.
  function row(...children) {
    return make("div", { className: "login-row" }, ...children);
  }

  let numbered = 0;
  function field(label, properties) {
    const id = `pyispyb-${(numbered += 1)}`;
    const input = make(properties.options ? "select" : "input", { id });
    for (const [text, value] of properties.options || []) input.append(new Option(text, value));
    const { options, ...others } = properties;
    Object.assign(input, others);
    return row(make("label", { htmlFor: id, textContent: label }), input);
  }

  function passwordForm(taking, show) {
    const undecided = taking.length > 1 && taking.some((one) => !one.loginPattern);
    const options = [["whoever knows me", ""], ...taking.map((one) => [title(one), one.name])];
    const form = make(
      "form",
      { className: "login-form" },
      field("Login", {
        name: "login", autocomplete: "username", required: true, maxLength: 255,
        autocapitalize: "none", spellcheck: false,
      }),
      field("Password", {
        name: "password", type: "password", autocomplete: "current-password", required: true,
      }),
    );
    if (undecided) form.append(field("Who knows you", { name: "plugin", options }));
    const button = make("button", { textContent: "Log in" });
    form.append(row(button));
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (button.ariaDisabled === "true") return;
      const given = Object.fromEntries(new FormData(form));
      if (!given.plugin) delete given.plugin;
      button.ariaDisabled = "true"; // a disabled one would lose the focus
      show("");
      try {
        begin(await ask("/auth/login", { body: given }));
      } catch (fault) {
        form.elements.password.value = "";
        form.elements.password.focus();
        show(fault.message);
      } finally {
        button.ariaDisabled = "false";
      }
    });
    return form;
  }

  function title(provider) {
    return provider.title || provider.name;
  }

  function browserButton(provider) {
    const back = encodeURIComponent(location.pathname);
    return make("a", {
      className: "login-button",
      href: `${provider.browser}?return_to=${back}`,
      textContent: `Log in by ${title(provider)}`,
    });
  }

  async function showForms(box, show, stillAsked) {
    const focused = box.contains(document.activeElement);
    box.replaceChildren(); // at once: what the last person saw is theirs
    let known;
    try {
      known = await providers();
    } catch (fault) {
      const again = make("button", { textContent: "Try again" });
      again.addEventListener("click", () => {
        show("");
        showForms(box, show, stillAsked);
      });
      if (!stillAsked()) return;
      box.replaceChildren(again);
      return show(`Logins do not work just now. ${fault.message}`);
    }
    if (!stillAsked()) return;
    const byPassword = known.filter((one) => one.takes.includes("password"));
    const byBrowser = known.filter((one) => one.takes.includes("browser") && one.browser);
    box.replaceChildren(
      ...byBrowser.map((one) => row(browserButton(one))),
      ...(byPassword.length ? [passwordForm(byPassword, show)] : []),
    );
    if (!known.length) show("No way to log in is configured.");
    const first = box.querySelector("input, a");
    if (focused && first) first.focus();
  }

  async function showPerson(box, show, stillAsked) {
    const kept = current();
    const name = make("div", { className: "login-row login-who", tabIndex: -1 }, "You are ", make("b", { textContent: kept.login }));
    const token = make("input", {
      className: "login-token", readOnly: true, hidden: true, ariaLabel: "access token",
    });
    const reveal = make("button", { type: "button", textContent: "Show access token" });
    reveal.addEventListener("click", () => {
      token.hidden = !token.hidden;
      token.value = token.hidden ? "" : (current() || { token: "" }).token;
      reveal.textContent = token.hidden ? "Show access token" : "Hide access token";
      if (!token.hidden) token.select();
    });
    const out = make("button", { type: "button", textContent: "Log out" });
    out.addEventListener("click", end);
    const focused = box.contains(document.activeElement);
    box.replaceChildren(name, row(reveal, " ", out), token);
    if (focused) name.focus(); // read out to whoever does not see it
    try {
      const person = await ask("/core/user/current", { token: kept.token });
      if (!stillAsked()) return;
      const full = [person.givenName, person.familyName].filter(Boolean).join(" ");
      if (full) name.append(` (${full})`);
      if (person.personId === null && !person.service) name.append("; ISPyB knows no person with this login");
      const listed = person.permissions.map((one) => make("li", { textContent: one }));
      const summary = make("summary", { textContent: `${listed.length} permissions` });
      box.append(make("details", {}, summary, make("ul", {}, ...listed)));
    } catch (fault) {
      if (!stillAsked()) return;
      if (fault.status === 401) forget();
      show(fault.message);
    }
  }

  // Put the login into an element; it follows what happens on the page.
  function mount(element) {
    const box = make("div", {});
    const alert = make("div", { className: "login-fault" });
    alert.setAttribute("role", "alert");
    element.replaceChildren(alert, box);
    element.classList.add("login");
    const show = (text) => (alert.textContent = text);
    let shown;
    let turn = 0;
    const update = (kept) => {
      const whom = kept ? kept.login : null;
      if (whom === shown) {
        const token = box.querySelector(".login-token:not([hidden])");
        if (token) token.value = kept.token;
        return;
      }
      shown = whom;
      show("");
      const mine = (turn += 1);
      (kept ? showPerson : showForms)(box, show, () => mine === turn);
    };
    heard.add(update);
    returned.then(() => {
      update(current());
      if (!element.isConnected) return;
      show(untold);
      untold = "";
    });
    return () => heard.delete(update);
  }

  const returned = arrive();
  window.addEventListener("pageshow", (event) => event.persisted && wake());
  document.addEventListener("visibilitychange", () => document.hidden || wake());
  window.pyispybLogin = {
    mount, current, end, returned,
    failed: () => untold !== "",
    follow: (listener) => heard.add(listener),
  };
  document.querySelectorAll("[data-login]").forEach(mount);
})();
