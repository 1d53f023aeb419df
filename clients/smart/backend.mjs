// A backend service: client assertion, token, search, and a document natively, as JSON and in part.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'fhir-kit-client';
import { SignJWT, decodeJwt, importJWK } from 'jose';
import { PATIENT, VERSIONS } from './charta.mjs';
import { BACKEND, keyPair } from './registered.mjs';

const PDF = 'XR-197198634'; // the patient's discharge summary
const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** Every step of the service against `run`'s endpoints. */
export async function backend(run) {
  const pdf = readFileSync(join(run.demo, 'discharge-summary.pdf'));
  const base = `${run.url}/secure/r4`;
  let token = '';
  for (const fhir of VERSIONS) {
    await run.step(`backend service reads a document, ${fhir}`, async () => {
      const own = `${run.url}/secure/${fhir.toLowerCase()}`;
      await readDocument(own, fhir, await tokenFor(run, own, 'system/*.rs'), pdf);
    });
  }
  await run.step('backend service reads a part of a document', async () => {
    token = await tokenFor(run, base, 'system/*.rs');
    const part = await get(`${base}/Binary/${PDF}`, token, { accept: 'application/pdf', range: 'bytes=10-99' });
    assert.equal(part.status, 206);
    assert.deepEqual(Buffer.from(await part.arrayBuffer()), pdf.subarray(10, 100));
  });
  await run.step('a scope that is missing is told with 403', async () => {
    const narrow = await tokenFor(run, base, 'system/Patient.rs');
    assert.equal((await get(`${base}/Patient/${PATIENT}`, narrow)).status, 200);
    await refused(`${base}/Binary/${PDF}`, narrow, 403, 'insufficient_scope');
  });
  // An expired token and one for another server take the server's key, which only one of the two shows us.
  const more = run.signing ? ', expired, of another issuer and for another server' : '';
  await run.step(`401: no token; a token that is changed, signed by another key${more}`, async () => {
    assert.match((await get(`${base}/Binary/${PDF}`)).headers.get('www-authenticate'), /^Bearer/);
    for (const wrong of await wrongTokens(run, base, token)) {
      await refused(`${base}/Binary/${PDF}`, wrong, 401, 'invalid_token');
    }
  });
  await run.step('an assertion that was used, or signed by another key, gives no token', async () => {
    const used = await assertion(run, run.backendKey.private);
    assert.equal((await ask(run, base, 'system/*.rs', used)).status, 200);
    for (const bad of [used, await assertion(run, (await keyPair('ES384', run.backendKey.private.kid)).private)]) {
      const answer = await ask(run, base, 'system/*.rs', bad);
      assert.ok([400, 401].includes(answer.status), `${answer.status}`);
      assert.equal((await answer.json()).error, 'invalid_client');
    }
  });
  await run.step('fhir-kit-client finds the server and reads with a token', () => withFhirKit(base, run, token));
}

async function readDocument(base, fhir, token, pdf) {
  const accept = fhir === 'DSTU2' ? 'application/json+fhir' : 'application/fhir+json';
  const found = await (await get(`${base}/DocumentReference?patient=${PATIENT}`, token, { accept })).json();
  const urls = found.entry.flatMap(({ resource }) => resource.content ?? []).map(({ attachment }) => attachment.url);
  const url = urls.find((one) => one.endsWith(`/${PDF}`));
  assert.ok(url?.startsWith(`${base}/`), `${url}`);
  const native = await get(url, token, { accept: 'application/pdf' });
  assert.deepEqual([native.status, native.headers.get('content-type')], [200, 'application/pdf']);
  assert.deepEqual(Buffer.from(await native.arrayBuffer()), pdf);
  const binary = await (await get(url, token, { accept })).json();
  const text = binary[['DSTU2', 'STU3'].includes(fhir) ? 'content' : 'data'];
  assert.deepEqual(Buffer.from(text, 'base64'), pdf);
}

async function withFhirKit(base, run, token) {
  const client = new Client({ baseUrl: base, bearerToken: token });
  const metadata = await client.smartAuthMetadata();
  assert.equal(String(metadata.tokenUrl), (await discovered(base)).token_endpoint);
  assert.equal((await client.read({ resourceType: 'Patient', id: PATIENT })).id, PATIENT);
  client.bearerToken = undefined;
  await assert.rejects(client.read({ resourceType: 'Patient', id: PATIENT }), (error) => error.response.status === 401);
}

/** A token by the whole way: where, who, what for. */
async function tokenFor(run, base, scope) {
  const answer = await ask(run, base, scope, await assertion(run, run.backendKey.private));
  const told = await answer.json();
  assert.equal(answer.status, 200, JSON.stringify(told));
  assert.equal(told.token_type.toLowerCase(), 'bearer');
  assert.equal(told.scope, scope);
  return told.access_token;
}

async function ask(run, base, scope, signed) {
  const { token_endpoint: url } = await discovered(base);
  const form = { grant_type: 'client_credentials', scope, client_assertion_type: ASSERTION_TYPE, client_assertion: signed };
  if (run.namesResource) form.resource = base;
  return fetch(url, { method: 'POST', body: new URLSearchParams(form) });
}

const discovered = async (base) => (await fetch(`${base}/.well-known/smart-configuration`)).json();

async function assertion(run, key) {
  const { token_endpoint: audience } = await discovered(`${run.url}/secure/r4`);
  return new SignJWT({}).setProtectedHeader({ alg: 'ES384', kid: key.kid, typ: 'JWT' })
    .setIssuer(BACKEND).setSubject(BACKEND).setAudience(audience)
    .setJti(randomUUID()).setIssuedAt().setExpirationTime('4m')
    .sign(await importJWK(key, 'ES384'));
}

/** Variants of a good token. */
async function wrongTokens(run, base, token) {
  const [head, claims, signature] = token.split('.');
  const flipped = Buffer.from(signature, 'base64url');
  flipped[0] ^= 1;
  const wrong = [`${head}.${claims}.${flipped.toString('base64url')}`, await signed(await keyPair('ES384', 'as-1'), token, {})];
  if (run.signing) {
    const before = Math.floor(Date.now() / 1000) - 120;
    const good = await signed(run.signing, token, {});
    assert.equal((await get(`${base}/Patient/${PATIENT}`, good)).status, 200, 'the variants differ from a good token in one claim');
    wrong.push(await signed(run.signing, token, { exp: before }), await signed(run.signing, token, { aud: `${run.url}/elsewhere` }),
      await signed(run.signing, token, { iss: 'https://login.example.org' }));
  }
  return wrong;
}

async function signed(key, token, changed) {
  const header = { alg: 'ES384', kid: key.private.kid, typ: 'at+jwt' };
  return new SignJWT({ ...decodeJwt(token), ...changed }).setProtectedHeader(header).sign(await importJWK(key.private, 'ES384'));
}

const get = (url, token, headers = {}) =>
  fetch(url, { headers: { ...headers, ...(token && { authorization: `Bearer ${token}` }) } });

async function refused(url, token, status, error) {
  const answer = await get(url, token, { accept: 'application/fhir+json' });
  assert.equal(answer.status, status);
  assert.ok(answer.headers.get('www-authenticate').includes(`error="${error}"`), answer.headers.get('www-authenticate'));
  assert.equal((await answer.json()).resourceType, 'OperationOutcome');
}
