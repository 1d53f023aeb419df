// fhir-kit-client: searches, pages, reads, creates, changes, deletes, sends a transaction, fetches a document.
//
//   node with_fhir_kit_client.mjs ENDPOINT VERSION TASK
import assert from 'node:assert/strict';
import { Client } from 'fhir-kit-client';
import { allOnce, fetched, fhir, step, task, url } from './steps.mjs';

const client = new Client({ baseUrl: url });
const asked = (what, doIt) => step('fhir-kit-client', what, doIt);
const NUMBERS = { DSTU2: '1.0.2', STU3: '3.0.2', R4: '4.0.1', R4B: '4.3.0', R5: '5.0.0' };

await asked('reads the capability statement', async () => {
  assert.equal((await client.capabilityStatement()).fhirVersion, NUMBERS[fhir]);
});
await asked('searches', async () => {
  const found = await client.search({ resourceType: 'DocumentReference', searchParams: { patient: task.patient } });
  assert.ok(found.total > 0);
  assert.ok(found.entry.every((entry) => entry.resource.resourceType === 'DocumentReference'));
});
await asked('follows pages to the last, and back', async () => {
  const first = await client.search({ resourceType: 'Patient', searchParams: { _count: 2 } });
  const ids = [];
  let pages = 0, second;
  for (let page = first; page; page = await client.nextPage({ bundle: page })) {
    ids.push(...page.entry.map((entry) => entry.resource.id));
    if (++pages === 2) second = page;
  }
  allOnce(ids, first.total);
  if (second.link.some((link) => link.relation === 'prev' || link.relation === 'previous')) {
    const back = await client.prevPage({ bundle: second });
    assert.deepEqual(back.entry.map((entry) => entry.resource.id), ids.slice(0, 2));
  }
});
await asked('reads, also an old version and the history', async () => {
  const id = task.patient;
  assert.equal((await client.read({ resourceType: 'Patient', id })).birthDate, '1979-05-04');
  assert.equal((await client.vread({ resourceType: 'Patient', id, version: '1' })).meta.versionId, '1');
  assert.ok((await client.resourceHistory({ resourceType: 'Patient', id })).total >= 1);
});
await asked('creates a Binary and reads it', async () => {
  const created = await client.create({ resourceType: 'Binary', body: task.binary });
  const read = await client.read({ resourceType: 'Binary', id: created.id });
  assert.equal(read[task.element], task.binary[task.element]);
});
await asked('creates a document and fetches it by its link', async () => {
  const created = await client.create({ resourceType: 'DocumentReference', body: task.note });
  const read = await client.read({ resourceType: 'DocumentReference', id: created.id });
  await fetched(read.content[0].attachment);
});
await asked('changes and deletes', async () => {
  const created = await client.create({ resourceType: 'Patient', body: { resourceType: 'Patient', active: false } });
  const { id } = created;
  const updated = await client.update({ resourceType: 'Patient', id, body: { resourceType: 'Patient', id, active: true } });
  assert.equal(updated.meta.versionId, '2');
  await client.delete({ resourceType: 'Patient', id });
  await assert.rejects(client.read({ resourceType: 'Patient', id }), (error) => error.response.status === 410);
});
await asked('sends a transaction', async () => {
  const done = await client.transaction({ body: task.transaction });
  assert.deepEqual(done.entry.map((entry) => entry.response.status.slice(0, 3)), ['201', '201']);
});
