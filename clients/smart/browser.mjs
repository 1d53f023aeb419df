// A person in a browser: the app sends them to the authorization server, they allow it, and their document is on the screen.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { chromium } from 'playwright-core';
import { PATIENT } from './charta.mjs';
import { PERSON_APP } from './registered.mjs';

export const SCOPE = 'openid fhirUser launch/patient patient/*.rs';
const MILLISECONDS_MAX = 30_000;
const PAGES_MAX = 4;
const FLAGS = ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update',
  '--disable-sync'];
// The library as a page loads it, out of its package.
const LIBRARY = join(dirname(createRequire(import.meta.url).resolve('fhirclient/package.json')), 'build/fhir-client.js');

/** The app, on a free loopback port. */
export async function appServer(page) {
  const files = {
    '/app': ['text/html', readFileSync(page)],
    '/fhir-client.js': ['text/javascript', readFileSync(LIBRARY)],
  };
  const server = createServer((request, response) => {
    const [type, body] = files[new URL(request.url, 'http://app').pathname] ?? [];
    response.writeHead(body ? 200 : 404, type && { 'content-type': `${type}; charset=utf-8` }).end(body);
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  const end = () => new Promise((closed) => { server.closeAllConnections(); server.close(closed); });
  return { url: `http://127.0.0.1:${server.address().port}/app`, end };
}

/** The app in Chromium, from its launch to the document. `picture` is where the screen is kept. */
export async function inBrowser(run, executable, picture) {
  const browser = await chromium.launchPersistentContext(join(run.folder, 'profile'), { executablePath: executable, args: FLAGS });
  browser.setDefaultTimeout(MILLISECONDS_MAX);
  try {
    const page = await browser.newPage();
    await run.step('fhirclient (JavaScript) in Chromium, PKCE: the document is on the screen', async () => {
      await launched(run, page);
      await onScreen(run, page);
      await page.screenshot({ path: picture, fullPage: true });
    });
    await run.step('what is another patient\'s is 404 in the app', async () => {
      assert.deepEqual(await page.locator('#other li').allTextContents(), ['200', '404', '404', '404']);
    });
  } finally {
    await browser.close();
  }
}

async function launched(run, page) {
  const query = new URLSearchParams({ iss: `${run.url}/secure/r4`, client: PERSON_APP, scope: SCOPE });
  for (const place of ['Binary/note-text', 'Binary/note-rtf', 'DocumentReference/doc-note-rtf', 'Patient/1316024']) {
    query.append('other', place);
  }
  await page.goto(`${run.app}?${query}`);
  await page.waitForURL((url) => !url.href.startsWith(run.app));
  for (let asked = 0; !page.url().startsWith(run.app); asked++) {
    assert.ok(asked < PAGES_MAX, `no end of questions at ${page.url()}`);
    await allowed(page);
  }
  await page.waitForFunction(() => document.getElementById('state').textContent !== 'starting');
  assert.equal(await page.textContent('#state'), 'done');
}

/** Fills in what the page asks for and allows. */
async function allowed(page) {
  for (const [field, value] of [['user', 'dr-sample'], ['patient', PATIENT]]) {
    if (await page.locator(`input[name=${field}]`).count()) await page.fill(`input[name=${field}]`, value);
  }
  const before = page.url();
  await page.click('button[value=allow]');
  await page.waitForURL((url) => url.href !== before);
}

async function onScreen(run, page) {
  const note = readFileSync(join(run.demo, 'phone-note.txt'), 'utf8');
  assert.equal(await page.textContent('#text'), note);
  assert.ok(await page.locator('#text').isVisible());
  assert.match(await page.textContent('#who'), new RegExp(`^${PATIENT} `));
  assert.ok(await page.locator('#image').evaluate((image) => image.naturalWidth > 0));
  assert.match(await page.textContent('#pdf'), /^[1-9]\d+ bytes$/);
}
