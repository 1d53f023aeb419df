// A SMART on FHIR authorization server of others: oidc-provider, with SMART's scopes, its launch context and two forms
// that a person (or a test) fills in.
import { createServer } from 'node:http';
import { Provider } from 'oidc-provider';
import { BACKEND, PERSON_APP, keyPair } from './registered.mjs';

const SCOPE = /^(patient|user|system)\/([A-Za-z]+|\*)\.(c?r?u?d?s?|read|write|\*)(\?\S+)?$/;
const LAUNCH = ['openid', 'fhirUser', 'launch/patient'];
const SECONDS = 300;

/** Listens on a free loopback port. `apps` are the redirect URIs of the app, `backendKey` the public key of the service. */
export async function thirdParty(apps, backendKey) {
  const server = createServer();
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const signing = await keyPair('ES384', 'as-1');
  const patients = new Map(); // of a grant
  const provider = new Provider(issuer, configuration(apps, backendKey, signing, patients));
  provider.use((ctx, next) => answered(provider, patients, ctx, next));
  server.on('request', provider.callback());
  const discovery = { authorization_endpoint: `${issuer}/auth`, token_endpoint: `${issuer}/token` };
  return { issuer, jwks: `${issuer}/jwks`, signing, discovery, end: () => ended(server) };
}

function ended(server) {
  server.closeAllConnections();
  return new Promise((closed) => server.close(closed));
}

function configuration(apps, backendKey, signing, patients) {
  return {
    jwks: { keys: [signing.private] },
    clients: [backend(backendKey), app(apps)],
    clientDefaults: { id_token_signed_response_alg: 'ES384' },
    enabledJWA: {
      clientAuthSigningAlgValues: ['ES384', 'RS384'],
      idTokenSigningAlgValues: ['ES384'],
    },
    scopes: LAUNCH,
    pkce: { required: () => true },
    claims: { openid: ['sub'], fhirUser: ['fhirUser'] },
    findAccount: (_, sub) => ({ accountId: sub, claims: async () => ({ sub, fhirUser: `Practitioner/${sub}` }) }),
    extraTokenClaims: (_, token) => context(token, patients),
    extraParams: ['aud'], // SMART's name for the resource
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: (ctx) => ctx.oidc.params?.aud ?? ctx.oidc.params?.resource,
        useGrantedResource: () => true,
        getResourceServerInfo: (ctx, resource, client) => resourceServer(ctx, resource, client),
      },
    },
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
    cookies: { keys: ['for a test'] },
    clientBasedCORS: () => true,
    ttl: { AccessToken: SECONDS, ClientCredentials: SECONDS, Grant: SECONDS, IdToken: SECONDS, Interaction: SECONDS, Session: SECONDS },
  };
}

function backend(key) {
  return {
    client_id: BACKEND,
    token_endpoint_auth_method: 'private_key_jwt',
    token_endpoint_auth_signing_alg: 'ES384',
    jwks: { keys: [key] },
    grant_types: ['client_credentials'],
    response_types: [],
    redirect_uris: [],
  };
}

function app(redirects) {
  return {
    client_id: PERSON_APP,
    token_endpoint_auth_method: 'none',
    application_type: 'native', // http on loopback
    grant_types: ['authorization_code'],
    response_types: ['code'],
    redirect_uris: redirects,
  };
}

/** SMART's scopes are no fixed list: whatever is well formed and fits the client is one. */
function resourceServer(ctx, resource, client) {
  const asked = [ctx.oidc.params?.scope, ctx.oidc.entities?.AuthorizationCode?.scope].join(' ').split(' ');
  const system = client.clientId === BACKEND;
  const fits = (scope) => SCOPE.test(scope) && scope.startsWith('system/') === system;
  return {
    scope: asked.filter(fits).join(' '),
    audience: resource,
    accessTokenFormat: 'jwt',
    accessTokenTTL: SECONDS,
    jwt: { sign: { alg: 'ES384' } },
  };
}

/** What a person's token says besides. */
function context(token, patients) {
  if (token.kind !== 'AccessToken') return {};
  return { patient: patients.get(token.grantId), fhirUser: `Practitioner/${token.accountId}` };
}

/** The two forms; and the patient in the token's answer, as SMART wants it. */
async function answered(provider, patients, ctx, next) {
  if (ctx.path.startsWith('/interaction/')) return interaction(provider, patients, ctx);
  await next();
  const grant = ctx.oidc?.route === 'token' && ctx.oidc.entities.AuthorizationCode?.grantId;
  if (grant && ctx.body?.access_token) ctx.body.patient = patients.get(grant);
}

async function interaction(provider, patients, ctx) {
  const { prompt, params, session } = await provider.interactionDetails(ctx.req, ctx.res);
  if (ctx.method === 'GET') {
    ctx.type = 'html';
    ctx.body = form(prompt.name === 'login' ? 'user' : 'patient');
    return;
  }
  const filled = await fields(ctx.req);
  const result = prompt.name === 'login'
    ? { login: { accountId: filled.get('user') } }
    : { consent: { grantId: await granted(provider, patients, prompt, params, session, filled.get('patient')) } };
  await provider.interactionFinished(ctx.req, ctx.res, result, { mergeWithLastSubmission: prompt.name !== 'login' });
}

const form = (field) => `<!doctype html><html lang="en"><title>Clinic login</title><h1>Clinic login</h1>
<form method="post"><label>${field} <input name="${field}" required></label>
<button name="decision" value="allow">Allow</button></form></html>`;

async function fields(request) {
  let body = '';
  for await (const part of request) body += part;
  return new URLSearchParams(body);
}

async function granted(provider, patients, prompt, params, session, patient) {
  const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  const { missingOIDCScope, missingOIDCClaims, missingResourceScopes } = prompt.details;
  if (missingOIDCScope) grant.addOIDCScope(missingOIDCScope.join(' '));
  if (missingOIDCClaims) grant.addOIDCClaims(missingOIDCClaims);
  for (const [resource, scopes] of Object.entries(missingResourceScopes ?? {})) {
    grant.addResourceScope(resource, scopes.join(' '));
  }
  const id = await grant.save();
  patients.set(id, patient);
  return id;
}
