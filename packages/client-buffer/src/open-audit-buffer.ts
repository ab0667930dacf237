import type { AuditBuffer, BufferConfig } from './audit-buffer.ts';
import { browserAdapters, isBrowser } from './browser.ts';
import { checkNames } from './buffer-names.ts';
import { bufferOver } from './typed-buffer.ts';
import type { EventSchemas } from './define-events.ts';
import { Engine } from './engine.ts';
import { inertBuffer } from './inert-buffer.ts';
import { optionProblems } from './option-problems.ts';

type Open = { readonly engine: Engine; users: number };

// On the global object and not in this module: hot reload and a second copy of the bundle would each make another.
const REGISTRY = Symbol.for('tachograph.client-buffer.open');

function registry(): Map<string, Open> {
  const home = globalThis as { [REGISTRY]?: Map<string, Open> };
  return (home[REGISTRY] ??= new Map());
}

/**
 * Opens the buffer of a tenant, at once: what is recorded before the store is open joins the first commit. However
 * often it is opened there is one buffer per authority and tenant; the configuration of the first opening counts, the
 * event definitions are each caller's own. On a server it opens, and records nothing.
 *
 * @throws AuditBufferError ERR_CONFIG, ERR_VKEY: bugs of the configuration
 * @example
 * const audit = openAuditBuffer({
 *   endpoint: 'https://audit.example.com', authority: 'audit.example.com', tenant: 'acme',
 *   events: defineEvents({ 'item.reveal': z.object({ vault: z.string() }) }),
 * });
 * await audit.record('item.reveal', { actor: { id: 'u_7' }, data: { vault: 'v_1' } }).durable;
 */
export function openAuditBuffer<Schemas extends EventSchemas>(
  config: BufferConfig<Schemas>,
): AuditBuffer<Schemas> {
  const names = checkNames(config, optionProblems(config));
  if (!isBrowser()) return inertBuffer(config);
  const name = `tachograph:${names.authority}/${names.tenant}`;
  const all = registry();
  let open = all.get(name);
  if (open === undefined) {
    open = { engine: new Engine(config, names, browserAdapters(name, config.endpoint)), users: 0 };
    all.set(name, open);
  }
  const { engine } = open;
  open.users++;
  return bufferOver(engine, config, closeOnce(name, open));
}

/** The engine closes with the last of its users, unless another one comes in the same turn: React mounts everything twice. */
function closeOnce(name: string, open: Open): () => Promise<void> {
  let closed = false;
  return async () => {
    if (closed) return;
    closed = true;
    open.users--;
    await Promise.resolve();
    if (open.users > 0) return;
    if (registry().get(name) === open) registry().delete(name);
    await open.engine.close();
  };
}
