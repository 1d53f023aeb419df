// What both authorization servers know of the two clients, and the keys of those who sign.
import { exportJWK, generateKeyPair } from 'jose';

/** The backend service, and the app that people use. */
export const BACKEND = 'smart-backend';
export const PERSON_APP = 'smart-app';

/** A key pair as JWKs. */
export async function keyPair(alg, kid) {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const named = async (key) => ({ ...await exportJWK(key), alg, kid, use: 'sig' });
  return { private: await named(privateKey), public: await named(publicKey) };
}
