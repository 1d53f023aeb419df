// A Charta of our own: secured endpoints in each version, an open one to load it by, and the demo's documents.
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import assert from 'node:assert/strict';

/** A patient of the demo. */
export const PATIENT = '1694010';
export const VERSIONS = ['DSTU2', 'STU3', 'R4', 'R4B', 'R5'];
const END_MILLISECONDS_MAX = 15_000;

const endpoint = (path, fhir, auth) => `[[endpoint]]\npath = "${path}"\nfhir = "${fhir}"\nauth = "${auth}"\nwritable = true\n`;
const ENDPOINTS = VERSIONS.map((fhir) => endpoint(`/secure/${fhir.toLowerCase()}`, fhir, 'smart')).join('\n')
  + endpoint('/r4', 'R4', 'open');

/** Starts PROGRAM on a free port with the issuers of `settings`; `end` stops it by its own process. */
export async function charta(program, folder, demo, settings) {
  mkdirSync(folder);
  const config = join(folder, 'charta.toml');
  writeFileSync(config, `${settings}\n${ENDPOINTS}`);
  const place = ['--config', config, '--data', join(folder, 'data')];
  execFileSync(program, ['import', ...place, '--fhir', 'R4', join(demo, 'record.json')], { stdio: 'pipe' });
  const server = spawn(program, ['serve', ...place, '--listen', '127.0.0.1:0'], { stdio: ['ignore', 'pipe', 'pipe'] });
  const end = () => ended(server);
  try {
    const url = await listening(server);
    await put(`${url}/r4`, demo);
    return { url, end };
  } catch (error) {
    await end();
    throw error;
  }
}

async function listening(server) {
  let complaint = '';
  server.stderr.on('data', (part) => { complaint = (complaint + part).slice(-500); });
  for await (const line of createInterface(server.stdout)) {
    if (line.startsWith('listening on ')) {
      server.stdout.resume();
      return line.slice('listening on '.length).trim();
    }
  }
  throw new Error(`the server does not start: ${complaint}`);
}

async function ended(server) {
  if (server.exitCode !== null) return;
  const gone = new Promise((exit) => server.once('exit', exit));
  const late = setTimeout(() => server.kill('SIGKILL'), END_MILLISECONDS_MAX);
  server.kill('SIGTERM');
  await gone;
  clearTimeout(late);
}

/** The demo's documents, by the open endpoint. */
async function put(base, demo) {
  for (const document of JSON.parse(readFileSync(join(demo, 'manifest.json')))) {
    const headers = { 'content-type': document.contentType };
    if (document.securityContext) headers['x-security-context'] = document.securityContext;
    const body = readFileSync(join(demo, document.file));
    const answer = await fetch(`${base}/Binary/${document.id}`, { method: 'PUT', headers, body });
    assert.equal(answer.status, 201, `${document.file}: ${await answer.text()}`);
  }
}
