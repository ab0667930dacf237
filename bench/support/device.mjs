import { randomUUID } from 'node:crypto';
import {
  appendLeaves,
  deviceIdOf,
  ed25519Signer,
  EMPTY_RANGE,
  ENROLMENT_NOTE,
  formatAppend,
  formatCheckpoint,
  generateEd25519,
  leafHash,
  noteKey,
  originOf,
  publicJwk,
  rootOf,
  SIGNATURE_TYPE,
  sha256,
  signNote,
  signStatement,
  toHex,
  utf8,
} from '@tachograph/wire';

/** A device without a store: it makes signed appends as fast as it can, for load from outside. */
export async function enrolDevice(url, authority, tenant, token) {
  const { privateKey, publicKey } = await generateEd25519(false);
  const origin = originOf(authority, tenant, deviceIdOf(publicKey));
  const signer = { key: noteKey(origin, SIGNATURE_TYPE.ed25519, publicKey), sign: ed25519Signer(privateKey) };
  const challenge = await (await fetch(`${url}/v1/enrolment/${tenant}`)).json();
  const proof = await signStatement(
    ENROLMENT_NOTE,
    { origin, challenge: challenge.challenge, credentialHash: toHex(sha256(utf8(token))) },
    signer,
  );
  const answer = await fetch(`${url}/v1/enrolment/${tenant}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ publicKey: publicJwk(publicKey), proof, credential: { type: 'token', token } }),
  });
  if (answer.status !== 201) throw new Error(`enrolment: ${answer.status} ${await answer.text()}`);
  return { origin, signer, address: `${url}/v1/logs/${tenant}/${deviceIdOf(publicKey)}`, range: EMPTY_RANGE };
}

/** The bodies of the next `appends` appends of `eventsEach` events. They can be sent in this order only. */
export async function nextAppends(device, appends, eventsEach) {
  const bodies = [];
  for (let i = 0; i < appends; i++) {
    const leaves = Array.from({ length: eventsEach }, leaf);
    const old = device.range.size;
    device.range = appendLeaves(device.range, leaves.map(leafHash));
    const text = formatCheckpoint({
      origin: device.origin,
      size: device.range.size,
      root: rootOf(device.range),
    });
    bodies.push(formatAppend({ old, checkpoint: await signNote(text, device.signer), leaves }));
  }
  return bodies;
}

/** One event of about 385 bytes. */
export function leaf() {
  return utf8(
    JSON.stringify({
      id: randomUUID(),
      time: new Date().toISOString(),
      action: 'item.reveal',
      actor: { id: 'u_7', email: 'ana@acme.example', name: 'Ana Example' },
      targets: [{ type: 'item', id: 'i_42', name: 'prod-db' }],
      outcome: 'success',
      online: true,
      clock: { boot: 'b3f1c0de', ms: Math.round(performance.now() * 10) / 10 },
      session: 's_9',
      app: { name: 'vault', version: '4.2.0' },
      data: { vault: 'v_1', usedVersion: 3 },
    }),
  );
}
