import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { IDBFactory, IDBKeyRange } from 'fake-indexeddb';
import * as fake from 'fake-indexeddb';
import { openAuditBuffer } from '../src/index.ts';
import { actor, codeOf, events } from './support/harness.ts';

const config = { endpoint: 'http://127.0.0.1:9', authority: 'audit.example.com', tenant: 'acme', events };

function installIndexedDb(): void {
  const classes = Object.entries(fake).filter(([name]) => name.startsWith('IDB'));
  Object.assign(globalThis, Object.fromEntries(classes), { indexedDB: new IDBFactory(), IDBKeyRange });
}
function removeIndexedDb(): void {
  Reflect.deleteProperty(globalThis, 'indexedDB');
}

describe('openAuditBuffer', () => {
  afterEach(removeIndexedDb);

  it('on a server it opens, records nothing, and says so only to whoever asks', async () => {
    const audit = openAuditBuffer(config);
    const entry = audit.record('item.reveal', { actor, data: { vault: 'v_1' } });
    expect(audit.status()).toMatchObject({ state: 'failed', problem: { code: 'ERR_NO_BROWSER' } });
    expect(await codeOf(entry.durable)).toBe('ERR_NO_BROWSER');
    expect(await codeOf(entry.accepted)).toBe('ERR_NO_BROWSER');
    expect(await codeOf(audit.flush())).toBe('ERR_NO_BROWSER');
    expect(await codeOf(audit.enrol({ type: 'token', token: 't' }))).toBe('ERR_NO_BROWSER');
    await audit.close();
  });

  it('opened twice it is one buffer, and closing one of them leaves the other open', async () => {
    installIndexedDb();
    const [a, b] = [openAuditBuffer(config), openAuditBuffer(config)];
    await a.record('item.reveal', { actor, data: { vault: 'v_1' } }).durable;
    expect(b.status().ledger.durable).toBe(1);
    expect(a.status().origin).toBe(b.status().origin);
    await a.close();
    await a.close();
    await b.record('item.reveal', { actor, data: { vault: 'v_1' } }).durable;
    await b.close();
    expect(b.status().state).toBe('closed');
    const late = b.record('item.reveal', { actor, data: { vault: 'v_1' } });
    expect(await codeOf(late.durable)).toBe('ERR_BUFFER_CLOSED');
    expect(await codeOf(b.flush())).toBe('ERR_BUFFER_CLOSED');
  });

  it('closed and opened again in one turn, as React mounts, it is the same buffer all the time', async () => {
    installIndexedDb();
    const a = openAuditBuffer(config);
    const closing = a.close();
    const b = openAuditBuffer(config);
    await closing;
    // The engine behind both has never been closed.
    const place = await a.record('item.reveal', { actor, data: { vault: 'v_1' } }).durable;
    expect(b.status()).toMatchObject({ origin: place.origin, ledger: { durable: 1 } });
    await b.close();
    expect(b.status().state).toBe('closed');
  });

  it('whatever promise is ignored, none becomes an unhandled rejection', async () => {
    const unhandled: unknown[] = [];
    const listen = (reason: unknown): void => void unhandled.push(reason);
    process.on('unhandledRejection', listen);
    const ignoreAll = (audit: ReturnType<typeof openAuditBuffer<typeof events.schemas>>): void => {
      const entry = audit.record('item.reveal', { actor, data: { vault: 'v_1' } });
      for (const promise of [entry.durable, entry.accepted, audit.flush(), audit.close()]) void promise;
      void audit.enrol({ type: 'token', token: 't' });
      void audit.offlineAccess({ scope: '*' });
    };
    ignoreAll(openAuditBuffer(config));
    installIndexedDb();
    const audit = openAuditBuffer(config);
    await audit.close();
    ignoreAll(audit);
    await nextTurn();
    await nextTurn();
    process.off('unhandledRejection', listen);
    expect(unhandled).toEqual([]);
  });

  it('opened again after a close it goes on where it was', async () => {
    installIndexedDb();
    const a = openAuditBuffer(config);
    await a.record('item.reveal', { actor, data: { vault: 'v_1' } }).durable;
    await a.close();
    const b = openAuditBuffer(config);
    const place = await b.record('item.reveal', { actor, data: { vault: 'v_1' } }).durable;
    expect(place).toEqual({ origin: a.status().origin, index: 1 });
    await b.close();
  });

  it('refuses a configuration that cannot work, naming all of it', () => {
    const wrong = { ...config, endpoint: 'audit.example.com', tenant: 'ACME' };
    expect(() => openAuditBuffer(wrong)).toThrow(/ERR_CONFIG: endpoint: .*; tenant: /);
    installIndexedDb();
    expect(() => openAuditBuffer({ ...config, tenant: 't2', directiveKey: 'x' })).toThrow(/ERR_VKEY/);
  });

  it.each([
    ['whenFull', 'block', 'gap or reject'],
    ['whenFull', null, 'gap or reject'],
    ['bytesMax', 65_535, '65536 or more'],
    ['bytesMax', -1, '65536 or more'],
    ['bytesMax', 1e6 + 0.5, '65536 or more'],
    ['bytesMax', NaN, '65536 or more'],
    ['bytesMax', Infinity, '65536 or more'],
    ['bytesMax', '67108864', '65536 or more'],
  ])('refuses %s %p, and says what it may be', (name, value, allowed) => {
    const wrong = { ...config, [name]: value };
    expect(() => openAuditBuffer(wrong)).toThrow(new RegExp(`ERR_CONFIG: ${name}: .*${allowed}$`));
  });

  it('names a wrong option along with the wrong names', () => {
    const wrong = { ...config, tenant: 'ACME', bytesMax: 0 };
    expect(() => openAuditBuffer(wrong)).toThrow(/ERR_CONFIG: tenant: .*; bytesMax: /);
  });

  it('takes the least cap and either answer to a full buffer', async () => {
    for (const whenFull of ['gap', 'reject'] as const)
      await openAuditBuffer({ ...config, bytesMax: 65_536, whenFull }).close();
  });

  it('fails with a code where there is no Ed25519', async () => {
    installIndexedDb();
    const { subtle } = crypto;
    const generateKey = subtle.generateKey.bind(subtle);
    subtle.generateKey = (() =>
      Promise.reject(new DOMException('Unrecognized name.', 'NotSupportedError'))) as typeof generateKey;
    const audit = openAuditBuffer({ ...config, tenant: 'old-browser' });
    const entry = audit.record('item.reveal', { actor, data: { vault: 'v_1' } });
    expect(await codeOf(entry.durable)).toBe('ERR_NO_ED25519');
    expect(audit.status()).toMatchObject({ state: 'failed', problem: { code: 'ERR_NO_ED25519' } });
    Reflect.deleteProperty(subtle, 'generateKey');
    await audit.close();
  });
});
