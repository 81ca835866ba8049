// Swagger UI with the suite's login inside its Authorize; the token follows login and logout.
(function () {
  "use strict";

  const login = window.pyispybLogin;
  const contract = document.getElementById("swagger-ui").dataset.contract;

  function loginInside(system) {
    const { createElement, useEffect, useRef } = system.React;
    function Login() {
      const place = useRef(null);
      useEffect(() => login.mount(place.current), []);
      return createElement("div", { ref: place });
    }
    return {
      wrapComponents: {
        auths: (Original) => (properties) =>
          createElement("div", {}, createElement(Login), createElement(Original, properties)),
      },
      statePlugins: {
        auth: {
          wrapActions: {
            logoutWithPersistOption: (original) => (names) => {
              login.end();
              return original(names);
            },
          },
        },
      },
    };
  }

  const ui = SwaggerUIBundle({
    url: contract,
    dom_id: "#swagger-ui",
    deepLinking: true,
    validatorUrl: null,
    plugins: [loginInside],
    onComplete: () => {
      login.returned.then(() => {
        apply(login.current());
        // Where the login is, is told why it failed.
        if (login.failed()) ui.authActions.showDefinitions(ui.authSelectors.definitionsToAuthorize());
      });
      login.follow(apply);
    },
  });

  let applied = false; // Swagger UI cannot forget what it never had

  function apply(kept) {
    if (kept) ui.preauthorizeApiKey("token", kept.token);
    else if (applied) ui.authActions.logout(["token"]);
    applied = Boolean(kept);
  }
})();
