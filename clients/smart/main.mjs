// SMART on FHIR end to end: a backend service and a person's app against secured endpoints, with tokens of an
// authorization server that others wrote, and again with those of Charta's own for development.
//
//   node main.mjs PROGRAM REPOSITORY PYTHON PICTURES [CHROMIUM]
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { thirdParty } from './authorization_server.mjs';
import { backend } from './backend.mjs';
import { SCOPE, appServer, inBrowser } from './browser.mjs';
import { PATIENT, charta } from './charta.mjs';
import { BACKEND, PERSON_APP, keyPair } from './registered.mjs';

const [, , program, repository, python, pictures, chromium] = process.argv;
const smart = join(repository, 'clients/smart');
const demo = join(repository, 'testdata/demo');
const PYTHON_MILLISECONDS_MAX = 60_000;

const ISSUER = ({ issuer, jwks, discovery }) => `[[issuer]]
url = "${issuer}"
jwks = "${jwks}"
authorization_endpoint = "${discovery.authorization_endpoint}"
token_endpoint = "${discovery.token_endpoint}"
grant_types = ["authorization_code", "client_credentials"]
auth_methods = ["private_key_jwt"]
capabilities = ["launch-standalone", "client-public", "client-confidential-asymmetric", "context-standalone-patient",
  "permission-patient", "permission-v2"]
`;

const OWN = (jwks, app) => `[[issuer]]
development = true

[authorization_server]

[[authorization_server.client]]
id = "${BACKEND}"
jwks = "${jwks}"
scope = "system/*.rs"

[[authorization_server.client]]
id = "${PERSON_APP}"
redirect_uris = ["${app}"]
scope = "openid fhirUser launch/patient patient/*.rs"
`;

/** One line for a step; whatever goes wrong, the next is tried as well. */
const steps = (name) => async (what, doIt) => {
  try {
    await doIt();
    console.log(`ok - SMART, ${name}: ${what}`);
  } catch (error) {
    console.log(`not ok - SMART, ${name}: ${what}`);
    console.log(`    ${String(error?.stack ?? error).split('\n').slice(0, 6).join(' ').slice(0, 900)}`);
  }
};

async function flows(run) {
  await backend(run);
  if (chromium) await inBrowser(run, chromium, join(pictures, `${run.picture}.png`));
  await run.step('fhirclient (Python), PKCE: code, token, document', () => inPython(run));
}

async function inPython(run) {
  const command = [join(smart, 'with_fhirclient.py'), `${run.url}/secure/r4`, PERSON_APP, run.app, SCOPE, PATIENT, join(demo, 'phone-note.txt')];
  await promisify(execFile)(python, command, { timeout: PYTHON_MILLISECONDS_MAX });
}

async function withThirdParty(run) {
  const server = await thirdParty([run.app], run.backendKey.public);
  const { end, url } = await charta(program, run.folder, demo, ISSUER(server));
  try {
    await flows({ ...run, url, signing: server.signing, namesResource: true, picture: 'oidc-provider', step: steps('oidc-provider') });
  } finally {
    await end();
    await server.end();
  }
}

async function withOwn(run) {
  const keys = join(folder, 'backend.jwks.json');
  writeFileSync(keys, JSON.stringify({ keys: [run.backendKey.public] }));
  const { end, url } = await charta(program, run.folder, demo, OWN(keys, run.app));
  try {
    await flows({ ...run, url, picture: 'development', step: steps('development authorization server') });
  } finally {
    await end();
  }
}

mkdirSync(pictures, { recursive: true });
const folder = mkdtempSync(join(tmpdir(), 'charta-smart-'));
const app = await appServer(join(smart, 'app.html'));
const shared = { app: app.url, demo, backendKey: await keyPair('ES384', 'backend-1') };
try {
  if (!chromium) console.log('LEFT OUT: the app in a browser, because there is no Chromium and apt has none');
  await steps('oidc-provider')('runs to its end', () => withThirdParty({ ...shared, folder: join(folder, 'third') }));
  await steps('development authorization server')('runs to its end', () => withOwn({ ...shared, folder: join(folder, 'own') }));
} finally {
  await app.end();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}
