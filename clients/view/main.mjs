// Pages of CDA documents in a real browser: what a reader sees, and that nothing runs, is fetched or is refused by the
// page's own policy.
//
//   node main.mjs PROGRAM REPOSITORY PICTURES [CHROMIUM]
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { PATIENT, charta } from '../smart/charta.mjs';

const [, , program, repository, pictures, executable] = process.argv;
const demo = join(repository, 'testdata/demo');
const own = join(repository, 'clients/view');
const CCD = 'Binary/5BDAC5A796D242FAA4FC038CCD357065.DM.YNIULMDWZQI6XAIPABIFNDRONA/$view';
const MILLISECONDS_MAX = 30_000;
const SCREEN = { width: 1280, height: 3000 };
const FLAGS = ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update',
  '--disable-sync'];

async function step(what, doIt) {
  try {
    await doIt();
    console.log(`ok - page in Chromium: ${what}`);
  } catch (error) {
    console.log(`not ok - page in Chromium: ${what}`);
    console.log(`    ${String(error?.stack ?? error).split('\n').slice(0, 6).join(' ').slice(0, 900)}`);
  }
}

/** Stores a document of ours; `picture` takes the place that it keeps for one. */
async function store(url, id, picture = '') {
  const body = readFileSync(join(own, `${id}.xml`), 'utf8').replace('@PICTURE@', picture);
  const answer = await fetch(`${url}/r4/Binary/${id}`, { method: 'PUT', headers: { 'content-type': 'text/xml' }, body });
  assert.equal(answer.status, 201, await answer.text());
}

/** A page in a tab of its own, with everything that the browser did or complained of. */
async function opened(browser, url) {
  const page = await browser.newPage();
  await page.setViewportSize(SCREEN); // so high that nobody scrolls
  const seen = { requests: [], complaints: [], dialogs: [] };
  page.on('request', (request) => seen.requests.push(request.url()));
  page.on('console', (message) => seen.complaints.push(message.text()));
  page.on('pageerror', (error) => seen.complaints.push(String(error)));
  page.on('dialog', (dialog) => { seen.dialogs.push(dialog.message()); dialog.dismiss(); });
  const answer = await page.goto(url);
  assert.equal(answer.status(), 200, await answer.text());
  return { page, seen };
}

/** The page was asked for and nothing else, and nobody complains: not of the policy either. */
function assertQuiet(seen, url) {
  assert.deepEqual(seen, { requests: [url], complaints: [], dialogs: [] });
}

/** Presses the mouse button on every such element, as a person does: by the debugger alone, because what a test would put into
 * the page listens there, and the sandbox refuses that aloud. */
async function pressAll(page, selector) {
  const debug = await page.context().newCDPSession(page);
  const { root } = await debug.send('DOM.getDocument');
  const { nodeIds } = await debug.send('DOM.querySelectorAll', { nodeId: root.nodeId, selector });
  assert.ok(nodeIds.length, `${selector} is there`);
  for (const nodeId of nodeIds) {
    const [left, top, right, , , bottom] = (await debug.send('DOM.getBoxModel', { nodeId })).model.content;
    await page.mouse.click((left + right) / 2, (top + bottom) / 2);
  }
  await debug.detach();
}

const headings = async (page, level) => (await page.locator(`h${level}`).allTextContents());

/** What only the style sheet of the page can have done. */
async function assertStyled(page) {
  const { width, height } = await page.locator('.patient').boundingBox();
  assert.ok(width > 300 && height > 60);
  const edge = await page.locator('.patient').evaluate((box) => getComputedStyle(box).borderLeftStyle);
  assert.equal(edge, 'solid');
}

async function shown(browser, url, name, look, pressed) {
  const { page, seen } = await opened(browser, url);
  try {
    if (pressed) {
      await pressAll(page, pressed.what);
      await page.waitForURL((now) => now.hash === pressed.leadsTo);
    }
    assertQuiet(seen, url);
    await assertStyled(page);
    await look(page);
    await page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true });
  } finally {
    await page.close();
  }
}

async function ccd(page) {
  assert.deepEqual(await headings(page, 1), ['Continuity of Care Document']);
  const titles = await headings(page, 2);
  assert.deepEqual(titles.slice(0, 4), ['Ida Htest Testperson', 'Contents', 'Allergies and Intolerances', 'Medications']);
  assert.ok(await page.getByRole('columnheader', { name: 'Substance' }).isVisible());
  assert.ok(await page.getByRole('cell', { name: 'Penicillin G' }).isVisible());
}

async function consultation(page) {
  assert.deepEqual(await headings(page, 3), ['Done today', 'To do']);
  assert.ok(await page.locator('img').evaluate((image) => image.complete && image.naturalWidth > 100), 'the picture is decoded');
  assert.match(await page.textContent('.notice'), /restricted/);
}

async function record(page) {
  assert.deepEqual(await headings(page, 1), ['Continuity of Care Document']);
  const titles = await headings(page, 2);
  for (const title of ['Nora Htest Testperson', 'Problems']) assert.ok(titles.some((one) => one.includes(title)), `${title} in ${titles}`);
}

async function hostile(page) {
  assert.deepEqual(await headings(page, 2), ["<img src=\"http://evil.example/name.png\" onerror=\"alert('name')\">", 'Contents', 'Handlers',
    'Links', 'Elements', 'About this document']);
  assert.equal(await page.locator('script, iframe, img, svg, form, link, base, object').count(), 0);
}

/** Paper has every section, and the head of a table on each sheet that it reaches. */
async function printed(browser, url) {
  const { page, seen } = await opened(browser, url);
  try {
    const pdf = await page.pdf({ path: join(pictures, 'printed.pdf'), format: 'Letter' });
    assert.ok(pdf.length > 10_000 && pdf.subarray(0, 5).toString() === '%PDF-');
    assertQuiet(seen, url);
  } finally {
    await page.close();
  }
}

if (!executable) {
  console.log('LEFT OUT: pages of CDA documents in a browser, because there is no Chromium and apt has none');
  process.exit(0);
}
mkdirSync(pictures, { recursive: true });
const folder = mkdtempSync(join(tmpdir(), 'charta-view-'));
const server = await charta(program, join(folder, 'server'), demo, '[[issuer]]\ndevelopment = true\n');
const browser = await chromium.launchPersistentContext(join(folder, 'profile'), { executablePath: executable, args: FLAGS });
browser.setDefaultTimeout(MILLISECONDS_MAX);
try {
  const base = `${server.url}/r4`;
  await store(server.url, 'consultation', readFileSync(join(demo, 'skin-photo.jpg')).toString('base64'));
  await store(server.url, 'hostile');
  await step('a CCD', () => shown(browser, `${base}/${CCD}`, 'ccd', ccd));
  await step('a note with a picture', () => shown(browser, `${base}/Binary/consultation/$view`, 'consultation', consultation,
    { what: '#s-1 .narrative a', leadsTo: '#n-lesion' }));
  await step('the record of a patient', () => shown(browser, `${base}/Binary/$view?patient=${PATIENT}`, 'record', record));
  await step('a hostile document', () => shown(browser, `${base}/Binary/hostile/$view`, 'hostile', hostile,
    { what: '.narrative td, .narrative span, .narrative a', leadsTo: '#n-target' }));
  await step('on paper', () => printed(browser, `${base}/${CCD}`));
} finally {
  await browser.close();
  await server.end();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}
