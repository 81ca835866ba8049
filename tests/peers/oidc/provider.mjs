// An OpenID provider for tests: node provider.mjs LIBRARY PORT CALLBACK. Anybody logs in as anybody.
const [library, port, callback] = process.argv.slice(2);
const { Provider } = await import(library);

const client = (id, more) => ({
  client_id: id,
  redirect_uris: [callback],
  grant_types: ["authorization_code"],
  response_types: ["code"],
  ...more,
});
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [
    client("ispyb", { client_secret: "a secret: of ispyb" }),
    client("mxcube", { token_endpoint_auth_method: "none" }),
  ],
  pkce: { required: () => true },
  scopes: ["openid", "profile", "email"],
  claims: { openid: ["sub"], profile: ["name", "preferred_username", "groups"], email: ["email"] },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({
      sub: `id-of-${id}`,
      preferred_username: id,
      name: `${id} O`,
      email: `${id}@example.org`,
      groups: ["/bl1", "/elsewhere"],
    }),
  }),
  extraTokenClaims: (_, token) => ({ preferred_username: token.accountId }),
  features: {
    devInteractions: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: (ctx) => ctx.oidc.client.clientId === "mxcube" ? "urn:suite" : undefined,
      getResourceServerInfo: () => ({
        scope: "openid", audience: "suite", accessTokenTTL: 300, accessTokenFormat: "jwt",
      }),
      useGrantedResource: () => true,
    },
  },
});
provider.listen(Number(port), "127.0.0.1", () => console.log("ready"));
