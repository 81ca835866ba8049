// The stand-in with one clause of the contract broken: BREAK="2.2 alg none" node standin_broken.mjs PORT ISSUER
// Without BREAK nothing is broken, and what the stand-in leaves out is there: a list of revoked
// tokens, config, metadata, and a core and an ssx that verify as ours do. `--list` names the breakers.
import { createHmac, generateKeyPairSync, randomUUID, sign, verify } from "node:crypto";
import { answer, issuer, kid, port, privateKey, publicKey, serve, signed } from "./standin_auth.mjs";

const LOGIN = "POST /auth/login", REFRESH = "POST /auth/refresh", LOGOUT = "POST /auth/logout";
const JWKS = "GET /auth/.well-known/jwks.json", CORE = "GET /core/user/current", SSX = "GET /ssx/runs";
const here = `http://127.0.0.1:${port}`;
const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
const read = (text) => JSON.parse(Buffer.from(text, "base64url"));
const headerOf = (token) => read(token.split(".")[0]), claimsOf = (token) => read(token.split(".")[1]);
const said = (text) => { try { return Object(JSON.parse(text)); } catch { return {}; } };
const unauthorized = { status: 401, body: { message: "Unauthorized" } };

// A breaker: what it does to an answer of the service, and to what the services believe.
const on = (...paths) => (change) => ({ change: (ask, sent) => (paths.includes(ask.path) ? change(sent, ask) : sent) });
const onBody = (...paths) => (change) => on(...paths)((sent, ask) => (sent.status === 200 ? { ...sent, body: change({ ...sent.body }, ask) } : sent));
const tokens = onBody(LOGIN, REFRESH);
const without = (name) => tokens(({ [name]: _, ...body }) => body);
const claims = (change) => tokens((body) => ({ ...body, token: signed({ ...claimsOf(body.token), ...change(claimsOf(body.token)) }, headerOf(body.token)) }));
const header = (change) => tokens((body) => ({ ...body, token: signed(claimsOf(body.token), change) }));
const by = (alg, seal) => tokens((body) => {
  const start = `${part({ ...headerOf(body.token), alg })}.${body.token.split(".")[1]}`;
  return { ...body, token: `${start}.${seal(Buffer.from(start)).toString("base64url")}` };
});
const keys = (change) => onBody(JWKS)((body) => ({ keys: change(body.keys[0], body.keys) }));
const headers = (path, change) => on(path)((sent) => ({ ...sent, headers: { ...sent.headers, ...change } }));
const status = (number, ...paths) => on(...paths)((sent) => ({ ...sent, status: number }));
const services = (believes) => ({ believes });
const slow = (seconds, test) => (sent, ask) => test(ask, sent) ? new Promise((done) => setTimeout(done, seconds * 1000, sent)) : sent;
const jwk = (key, more) => ({ ...key.export({ format: "jwk" }), use: "sig", ...more });

// Refresh tokens under other names: what a client holds, and what the stand-in knows it by.
const names = new Map();
const real = (token) => { while (names.has(token)) token = names.get(token); return token; };
const renamed = (name) => ({
  ask: (ask) => (ask.path === REFRESH || ask.path === LOGOUT ? { ...ask, text: JSON.stringify({ refreshToken: real(said(ask.text).refreshToken) }) } : ask),
  ...tokens((body, ask) => {
    const shown = name(body, ask);
    if (shown !== body.refreshToken) names.set(shown, body.refreshToken);
    return { ...body, refreshToken: shown };
  }),
});
const held = { change: (ask, sent) => sent };
const other = generateKeyPairSync("ec", { namedCurve: "P-256" }), edwards = generateKeyPairSync("ed25519");
let times = 0, first, ended = [], refreshed = new Set();

const BREAKERS = {
  "1.1": status(201, LOGIN),
  "1.2 no token": without("token"),
  "1.2 tokenType": tokens((body) => ({ ...body, tokenType: "mac" })),
  "1.3": without("refreshToken"),
  "1.4 text": tokens((body) => ({ ...body, expiresIn: `${body.expiresIn}` })),
  "1.4 another time": tokens((body) => ({ ...body, expiresIn: 60 })),
  "1.5": tokens((body) => ({ ...body, login: "ALICE" })),
  "1.6": headers(LOGIN, { "Cache-Control": "private" }),
  "2.1 opaque": tokens((body) => ({ ...body, token: "c2b9e6" })),
  "2.1 long": claims(() => ({ ballast: "x".repeat(8000) })),
  "2.2 none": by("none", () => Buffer.from("x")),
  "2.2 HS256": by("HS256", (start) => createHmac("sha256", "shared").update(start).digest()),
  "2.3": header({ kid: undefined }),
  "2.4 ID token": header({ typ: "id+jwt" }),
  "2.4 crit": header({ crit: ["b64"], b64: true }),
  "2.5 none": claims(() => ({ iss: undefined })),
  "2.5 each another": claims(() => ({ iss: `${issuer}/${++times}` })),
  "2.6 number": claims(() => ({ sub: 7 })),
  "2.6 blank": claims(() => ({ sub: "alice of MX1001" })),
  "2.7": claims(({ exp }) => ({ exp: `${exp}` })),
  "2.8 iat": claims(({ iat, exp }) => ({ iat: iat + 60, exp: exp + 60 })),
  "2.8 nbf": claims(({ iat }) => ({ nbf: iat + 60 })),
  "2.9": claims(({ iat, exp }) => ({ iat: iat - 100, exp: exp - 100 })),
  "2.10 for ever": claims(({ iat }) => ({ exp: iat + 1e9 })),
  "2.10 over": claims(({ iat }) => ({ iat: iat - 2000, exp: iat - 1100 })),
  "2.11": claims(({ iat }) => ({ exp: iat + 3600 })),
  "2.12 nonce": claims(() => ({ nonce: "n" })),
  "2.12 typ": claims(() => ({ typ: "ID" })),
  "2.13 none": claims(() => ({ jti: undefined })),
  "2.13 the same": claims(() => ({ jti: "1" })),
  "2.14": claims(() => ({ groups: [1, 2] })),
  "3.1 none": status(404, JWKS),
  "3.1 slow": on(JWKS)(slow(2.3, () => true)),
  "3.2 private": keys((key) => [{ ...key, ...privateKey.export({ format: "jwk" }) }]),
  "3.2 symmetric": keys((key) => [key, { kty: "oct", kid: "s", alg: "HS256", use: "enc" }]),
  "3.3 none": keys((key) => [key, { ...key, kid: undefined }]),
  "3.3 twice": keys((key) => [key, key]),
  "3.4 short": keys((key) => [key, jwk(generateKeyPairSync("rsa", { modulusLength: 1024 }).publicKey, { kid: "r", alg: "RS256" })]),
  "3.4 curve": keys((key) => [key, jwk(generateKeyPairSync("ec", { namedCurve: "P-384" }).publicKey, { kid: "c", alg: "ES384" })]),
  "3.5 another key": keys((key) => [jwk(other.publicKey, { kid, alg: "ES256" })]),
  "3.5 another kid": keys((key) => [{ ...key, kid: "next" }]),
  "3.6": keys((key) => [{ ...key, use: undefined }]),
  "3.7 none": headers(JWKS, { "Cache-Control": "no-store" }),
  "3.7 long": headers(JWKS, { "Cache-Control": "max-age=86400" }),
  "4.1 none": on(REFRESH)(() => ({ status: 404, body: {} })),
  "4.1 fields": onBody(REFRESH)(({ expiresIn, ...body }) => body),
  "4.2 the same": tokens((body, ask) => (ask.path === LOGIN ? ((first ??= body.token), body) : { ...body, token: first })),
  "4.2 somebody else": onBody(REFRESH)((body) => ({ ...body, token: signed({ ...claimsOf(body.token), sub: "erin" }) })),
  "4.3": renamed((body, ask) => said(ask.sent).refreshToken ?? body.refreshToken),
  "4.4": { ...renamed((body, ask) => { const used = said(ask.sent).refreshToken; if (used) names.set(used, body.refreshToken); return body.refreshToken; }) },
  "4.6 garbage": on(REFRESH)((sent) => (sent.status === 401 ? { ...sent, status: 404 } : sent)),
  "4.6 access token": on(REFRESH)((sent, ask) => (said(ask.text).refreshToken?.includes?.(".") ? { status: 200, body: {} } : sent)),
  "4.7": on(REFRESH)((sent) => (sent.status === 422 || sent.status === 400 ? { ...sent, status: 500 } : sent)),
  "4.8": renamed((body) => signed({ ...claimsOf(body.token), jti: randomUUID() })),
  "5.2 goes on": { ask: (ask) => (ask.path === LOGOUT ? { ...ask, text: "{}" } : ask), ...held },
  "5.2 fails": status(500, LOGOUT),
  "5.4 none": status(404, "GET /revocations"),
  "5.4 typ": on("GET /revocations")((sent) => ({ ...sent, body: signed(claimsOf(sent.body)) })),
  "5.4 form": on("GET /revocations")((sent) => ({ ...sent, body: signed({ ...claimsOf(sent.body), not_before: [] }, { typ: "revocations+jwt" }) })),
  "5.5": on("GET /revocations")((sent) => ({ ...sent, body: signed({ ...claimsOf(sent.body), revoked_jti: [] }, { typ: "revocations+jwt" }) })),
  "6.2 issuer": onBody("GET /auth/config")((body) => ({ ...body, issuer: "another" })),
  "6.2 takes": onBody("GET /auth/config")((body) => ({ ...body, providers: [{ name: "site" }] })),
  "6.3 issuer": onBody("GET /auth/.well-known/oauth-authorization-server")((body) => ({ ...body, issuer: "another" })),
  "6.3 jwks_uri": onBody("GET /auth/.well-known/oauth-authorization-server")(({ issuer }) => ({ issuer })),
  "7.1 refuses": status(401, CORE),
  "7.1 somebody else": onBody(CORE)((body) => ({ ...body, login: "bob" })),
  "7.2": status(403, SSX),
  "7.3": services((token, verified) => verified && !refreshed.has(token)),
  "7.4": services((token, verified) => !token || verified),
  "7.5 unverified": services((token) => token?.includes(".")),
  "7.5 none": services((token, verified) => verified || (token?.includes(".") && headerOf(token).alg === "none")),
  "7.5 HS256": services((token, verified) => verified || (token?.includes(".") && headerOf(token).alg === "HS256")),
  "7.6": services((token, verified) => verified || (token && !token.includes("."))),
  "7.7": services((token, verified, expired) => verified || expired),
  "8.1": claims(() => ({ iss: `${issuer}/` })),
  "8.2": {
    change: (ask, sent) => (ask.path === JWKS ? keys((key) => [key, jwk(edwards.publicKey, { kid: "ed", alg: "EdDSA" })]).change(ask, sent)
      : tokens((body) => {
        const start = `${part({ alg: "EdDSA", kid: "ed" })}.${body.token.split(".")[1]}`;
        return { ...body, token: `${start}.${sign(null, Buffer.from(start), edwards.privateKey).toString("base64url")}` };
      }).change(ask, sent)),
  },
  "8.3 none": claims(() => ({ aud: undefined })),
  "8.3 another": claims(() => ({ aud: ["somebody"] })),
  "8.4": claims(() => ({ sub: "alice in Grenoble" })),
  "8.5": onBody("GET /site/keys.json")((body) => ({ keys: [{ ...body.keys[0], kid: "old" }] })),
  "9.1 status": on(LOGIN)((sent) => (sent.status === 401 ? { ...sent, status: 400 } : sent)),
  "9.1 repeats": on(LOGIN)((sent, ask) => (sent.status === 401 ? { ...sent, body: { detail: `not ${said(ask.text).password}` } } : sent)),
  "9.2 status": on(LOGIN)((sent, ask) => (sent.status === 401 && said(ask.text).login !== "alice" ? { ...sent, status: 404 } : sent)),
  "9.2 body": on(LOGIN)((sent, ask) => (sent.status === 401 ? { ...sent, body: { detail: `wrong: ${said(ask.text).login}` } } : sent)),
  "9.3": on(LOGIN)(slow(0.6, (ask, sent) => sent.status === 401 && said(ask.text).login !== "alice")),
  "9.4": { ask: (ask) => (said(ask.text).password === "" ? { ...ask, text: JSON.stringify({ login: "alice", password: "alice-demo" }) } : ask), ...held },
  "9.5": on(LOGIN)((sent) => (sent.status === 422 || sent.status === 400 ? { ...sent, status: 500 } : sent)),
  "9.6": on(LOGIN)((sent) => (sent.status === 401 ? { ...sent, body: "no" } : sent)),
};

function verified(token) {
  const [head, body, seal] = token.split(".");
  const key = { key: publicKey, dsaEncoding: "ieee-p1363" };
  return headerOf(token).alg === "ES256" && headerOf(token).kid === kid && verify("sha256", Buffer.from(`${head}.${body}`), key, Buffer.from(seal, "base64url"));
}

function service(path, sentHeaders) {
  const token = sentHeaders.authorization?.replace("Bearer ", "");
  const good = Boolean(token?.split(".").length === 3 && verified(token));
  const inTime = good && claimsOf(token).exp > Date.now() / 1000;
  const believed = broken?.believes ? broken.believes(token, inTime, good && !inTime) : inTime;
  if (!believed) return unauthorized;
  const login = good ? claimsOf(token).sub : "alice";
  return { status: 200, body: path === CORE ? { login } : { results: [] } };
}

function besides(ask, sentHeaders) {
  if (ask.path === CORE || ask.path === SSX) return service(ask.path, sentHeaders);
  if (ask.path === "GET /core/version") return { status: 200, body: {} };
  if (ask.path === "GET /auth/config") return { status: 200, body: { issuer, providers: [{ name: "site", takes: ["password"] }] } };
  if (ask.path === "GET /auth/.well-known/oauth-authorization-server") return { status: 200, body: { issuer, jwks_uri: `${here}/auth/.well-known/jwks.json` } };
  if (ask.path === "GET /site/keys.json") return answer("GET", "/auth/.well-known/jwks.json", "");
  if (ask.path !== "GET /revocations") return undefined;
  const list = { iss: issuer, iat: Math.floor(Date.now() / 1000), revoked_jti: ended, revoked_sid: [], not_before: {} };
  return { status: 200, body: signed(list, { typ: "revocations+jwt" }), headers: { "Content-Type": "application/jwt" } };
}

const broken = process.env.BREAK ? BREAKERS[process.env.BREAK] : held;
if (process.argv[2] === "--list") console.log(JSON.stringify(Object.keys(BREAKERS)));
else serve(async (method, path, text, sentHeaders) => {
  const sent = { path: `${method} ${path}`, text, sent: text };
  const ask = broken.ask?.(sent) ?? sent;
  const right = besides(ask, sentHeaders) ?? answer(method, path, ask.text);
  if (ask.path === LOGOUT && sentHeaders.authorization?.includes(".")) ended.push(claimsOf(sentHeaders.authorization).jti);
  const given = await (broken.change?.(ask, right) ?? right);
  if (ask.path === REFRESH && given.status === 200) refreshed.add(given.body.token);
  return given;
});
