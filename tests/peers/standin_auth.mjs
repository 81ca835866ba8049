// An auth service in the place of the suite's own, with nothing of ours in it, written from
// docs/plug-in-authentication.md: node standin_auth.mjs PORT ISSUER
import { createHash, generateKeyPairSync, randomBytes, randomUUID, scryptSync, sign, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";
import { pathToFileURL } from "node:url";

export const [port, issuer] = process.argv.slice(2);
const lives = Number(process.env.TOKEN_SECONDS ?? 900);
export const kid = `stand-in-${randomUUID()}`;
export const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });

const salt = randomBytes(16);
const hashed = (password) => scryptSync(password, salt, 32, { N: 4096 });
const accounts = new Map(["alice", "erin", "oscar"].map((login) => [login, hashed(`${login}-demo`)]));
const nobody = hashed(randomUUID());
const given = new Map(); // refresh tokens, by their hash

const fingerprint = (token) => createHash("sha256").update(token).digest("hex");
const isText = (value) => typeof value === "string" && value !== "";
const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
const refused = (status, detail) => ({ status, body: { status, detail } });

export function signed(claims, header = {}) {
  const start = `${part({ alg: "ES256", typ: "JWT", kid, ...header })}.${part(claims)}`;
  const seal = sign("sha256", Buffer.from(start), { key: privateKey, dsaEncoding: "ieee-p1363" });
  return `${start}.${seal.toString("base64url")}`;
}

function tokens(login, family) {
  const iat = Math.floor(Date.now() / 1000), refreshToken = randomBytes(32).toString("base64url");
  const token = signed({ iss: issuer, sub: login, aud: "ispyb", iat, exp: iat + lives, jti: randomUUID() });
  given.set(fingerprint(refreshToken), { login, family, used: false });
  const body = { token, refreshToken, expiresIn: lives, tokenType: "Bearer", login };
  return { status: 200, body, headers: { "Cache-Control": "no-store" } };
}

const routes = {
  "POST /auth/login": ({ login, password, token }) => {
    if (!isText(login) || !isText(password) || token !== undefined) return refused(422, "give login and password");
    const right = timingSafeEqual(accounts.get(login) ?? nobody, hashed(password));
    return right ? tokens(login, { over: false }) : refused(401, "login or password is wrong");
  },
  "POST /auth/refresh": ({ refreshToken }) => {
    if (!isText(refreshToken)) return refused(422, "give refreshToken");
    const found = given.get(fingerprint(refreshToken));
    if (found?.used) found.family.over = true;
    if (!found || found.family.over) return refused(401, "log in again");
    found.used = true;
    return tokens(found.login, found.family);
  },
  "POST /auth/logout": ({ refreshToken }) => {
    const found = isText(refreshToken) && given.get(fingerprint(refreshToken));
    if (found) found.family.over = true;
    return { status: 204 };
  },
  "GET /auth/.well-known/jwks.json": () => {
    const key = { ...publicKey.export({ format: "jwk" }), kid, alg: "ES256", use: "sig" };
    return { status: 200, body: { keys: [key] }, headers: { "Cache-Control": "max-age=300" } };
  },
};

export function answer(method, path, text) {
  const route = routes[`${method} ${path}`];
  if (!route) return refused(404, "no such path");
  try {
    return route(method === "POST" ? Object(JSON.parse(text)) : {});
  } catch (error) {
    return error instanceof SyntaxError ? refused(400, "no JSON") : refused(500, "a fault of mine");
  }
}

export function serve(answering) {
  createServer(async (request, response) => {
    let text = "";
    for await (const chunk of request) text += chunk;
    const { status, headers = {}, body } = await answering(request.method, request.url, text, request.headers);
    const content = typeof body === "string" ? body : JSON.stringify(body);
    response.writeHead(status, { "Content-Type": "application/json", ...headers }).end(content);
  }).listen(Number(port), "127.0.0.1");
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) serve(answer);
