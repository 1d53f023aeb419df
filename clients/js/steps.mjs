// What both clients of Node share: their task, and how they tell what came of a step.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

const [, , url, fhir, file] = process.argv;
const task = JSON.parse(readFileSync(file, 'utf8'));

/** The endpoint, its FHIR version, and what is to be stored there and found again. */
export { url, fhir, task };

/** One line for a step; whatever a client throws, the next step is tried as well. */
export async function step(client, what, doIt) {
  try {
    await doIt();
    console.log(`ok - ${client}, ${fhir}: ${what}`);
  } catch (error) {
    console.log(`not ok - ${client}, ${fhir}: ${what}`);
    console.log(`    ${String(error?.stack ?? error).split('\n').slice(0, 3).join(' ').slice(0, 500)}`);
  }
}

/** The document behind an attachment's link is what was stored, and what the attachment says of it. */
export async function fetched(attachment) {
  assert.equal(attachment.data, undefined);
  const answer = await fetch(attachment.url);
  const bytes = Buffer.from(await answer.arrayBuffer());
  assert.deepEqual(bytes, Buffer.from(task.bytes, 'base64'));
  assert.equal(bytes.length, Number(attachment.size)); // text in R5
  assert.equal(answer.headers.get('content-type'), attachment.contentType);
}

/** Every resource was seen once, and there was more than one page of two. */
export function allOnce(ids, total) {
  assert.equal(ids.length, total);
  assert.equal(new Set(ids).size, total);
  assert.ok(total > 4);
}
