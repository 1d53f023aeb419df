// A CCD by @medplum/ccda out of the same record: node medplum.mjs RECORD.ndjson RUNS OUT.xml
//
// The library makes a document of a Composition: which section holds what is said here, by the types and categories
// that it writes, with a list of names as narrative, as its README asks for. Prints a line of JSON like measure_ccd.
import { readFileSync, writeFileSync } from 'node:fs';

// It was made for Node 22.18; older ones lack this class, which it names and does not use here.
globalThis.WebSocket ??= class {};
const { convertFhirToCcda, convertCcdaToXml } = await import('@medplum/ccda');

const [record, runs, out] = process.argv.slice(2);
const text = readFileSync(record, 'utf8');

const SECTIONS = [
  ['48765-2', 'Allergies', (r) => r.resourceType === 'AllergyIntolerance'],
  ['10160-0', 'Medications', (r) => r.resourceType === 'MedicationRequest'],
  ['11450-4', 'Problems', (r) => r.resourceType === 'Condition'],
  ['30954-2', 'Results', (r) => isReport(r) || (isObservation(r) && !isOf(r, 'vital-signs') && !isOf(r, 'social-history'))],
  ['8716-3', 'Vital Signs', (r) => isObservation(r) && isOf(r, 'vital-signs')],
  ['29762-2', 'Social History', (r) => isObservation(r) && isOf(r, 'social-history')],
  ['47519-4', 'Procedures', (r) => r.resourceType === 'Procedure'],
  ['11369-6', 'Immunizations', (r) => r.resourceType === 'Immunization'],
  ['46240-8', 'Encounters', (r) => r.resourceType === 'Encounter'],
  ['18776-5', 'Plan of Treatment', (r) => r.resourceType === 'CarePlan' || r.resourceType === 'ServiceRequest'],
  ['61146-7', 'Goals', (r) => r.resourceType === 'Goal'],
  ['85847-2', 'Care Teams', (r) => r.resourceType === 'CareTeam'],
];

function isObservation(resource) {
  return resource.resourceType === 'Observation';
}

function isReport(resource) {
  return resource.resourceType === 'DiagnosticReport' && resource.result?.length > 0;
}

function isOf(resource, category) {
  return resource.category?.some((one) => one.coding?.some((coding) => coding.code === category)) ?? false;
}

function label(resource) {
  const concept = resource.code ?? resource.vaccineCode ?? resource.medicationCodeableConcept ?? resource.type?.[0] ?? resource.description;
  return concept?.text ?? concept?.coding?.[0]?.display ?? resource.resourceType;
}

function escaped(words) {
  return words.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}

// Results that a report names stand in it.
function section([code, title, belongs], resources, reported) {
  const found = resources.filter((one) => belongs(one) && !reported.has(`${one.resourceType}/${one.id}`));
  const items = found.map((one) => `<li>${escaped(label(one))}</li>`).join('');
  const div = found.length ? `<ul>${items}</ul>` : 'No information';
  return {
    title,
    code: { coding: [{ system: 'http://loinc.org', code, display: title }] },
    text: { status: 'generated', div: `<div xmlns="http://www.w3.org/1999/xhtml">${div}</div>` },
    entry: found.map((one) => ({ reference: `${one.resourceType}/${one.id}` })),
  };
}

function make() {
  const start = performance.now();
  const resources = text.split('\n').filter(Boolean).map((line) => JSON.parse(line));
  const organization = resources.find((one) => one.resourceType === 'Organization');
  const author = resources.find((one) => one.resourceType === 'Practitioner') ?? organization;
  const reported = new Set(resources.filter(isReport).flatMap((one) => one.result.map((result) => result.reference)));
  const reference = (one) => one && { reference: `${one.resourceType}/${one.id}` };
  const composition = {
    resourceType: 'Composition', id: '5d3c1f2e-6b7a-4c8d-9e0f-1a2b3c4d5e6f', status: 'final',
    type: { coding: [{ system: 'http://loinc.org', code: '34133-9' }] }, title: 'Continuity of Care Document',
    date: '2026-11-21T12:00:00Z', confidentiality: 'N',
    author: [reference(author)], custodian: reference(organization),
    section: SECTIONS.map((one) => section(one, resources, reported)),
  };
  const entry = [composition, ...resources].map((resource) => ({ resource }));
  const facts = performance.now() - start;
  const xml = convertCcdaToXml(convertFhirToCcda({ resourceType: 'Bundle', type: 'document', entry }));
  return { xml, facts, last: performance.now() - start };
}

const before = process.memoryUsage().rss;
const first = make();
writeFileSync(out, first.xml);
const grown = process.resourceUsage().maxRSS - before / 1024;
const all = [first];
while (all.length < Number(runs)) {
  all.push(make());
}
console.log(JSON.stringify({
  record_bytes: Buffer.byteLength(text),
  document_bytes: Buffer.byteLength(first.xml),
  facts_ms: all.map((one) => one.facts),
  first_ms: all.map((one) => one.last),
  last_ms: all.map((one) => one.last),
  grown_kib: Math.round(grown),
}));
