// fhirclient, the SMART client of JavaScript, at an open endpoint.
//
//   node with_fhirclient.mjs ENDPOINT VERSION TASK
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { allOnce, fetched, step, task, url } from './steps.mjs';

const smart = createRequire(import.meta.url)('fhirclient');
// It wants the request and the session of a web application; an open endpoint needs neither.
const client = smart({ headers: {} }, {}, {}).client({ serverUrl: url });
const asked = (what, doIt) => step('fhirclient (JavaScript)', what, doIt);

await asked('searches', async () => {
  const found = await client.request(`DocumentReference?patient=${task.patient}`, { flat: true });
  assert.ok(found.length > 0);
  assert.ok(found.every((resource) => resource.resourceType === 'DocumentReference'));
});
await asked('follows pages to the last', async () => {
  const all = await client.request('Patient?_count=2', { pageLimit: 0, flat: true });
  allOnce(all.map((patient) => patient.id), (await client.request('Patient?_summary=count')).total);
});
await asked('reads, and resolves references', async () => {
  assert.equal((await client.request(`Patient/${task.patient}`)).birthDate, '1979-05-04');
  const note = await client.request(`DocumentReference/${task.patient}`, { resolveReferences: 'subject' });
  assert.equal(note.subject.id, task.patient);
});
await asked('creates a Binary and reads it', async () => {
  // By itself it accepts application/json, which may be the type of a document: for the resource it must ask.
  const headers = { accept: 'application/fhir+json', 'content-type': 'application/fhir+json' };
  const created = await client.create(task.binary, { headers });
  const read = await client.request({ url: `Binary/${created.id}`, headers });
  assert.equal(read[task.element], task.binary[task.element]);
});
await asked('creates a document and fetches it by its link', async () => {
  const created = await client.create(task.note);
  const read = await client.request(`DocumentReference/${created.id}`);
  await fetched(read.content[0].attachment);
});
await asked('changes and deletes', async () => {
  const created = await client.create({ resourceType: 'Patient', active: false });
  const updated = await client.update({ ...created, active: true });
  assert.equal(updated.meta.versionId, '2');
  await client.delete(`Patient/${created.id}`);
  await assert.rejects(client.request(`Patient/${created.id}`), (error) => error.status === 410);
});
await asked('sends a transaction', async () => {
  const done = await client.request({
    url: '', method: 'POST', body: JSON.stringify(task.transaction), headers: { 'content-type': 'application/json' },
  });
  assert.deepEqual(done.entry.map((entry) => entry.response.status.slice(0, 3)), ['201', '201']);
});
