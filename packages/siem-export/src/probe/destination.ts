/** A place in the network that a sink's settings name. */
export type Endpoint = {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
};

/** Settings that say where, in any sink; nothing else of its settings is ever shown. */
const ADDRESSES = ['url', 'urls', 'endpoint', 'node', 'nodes', 'brokers'];
const NAMES = ['index', 'topic', 'bucket', 'dataset'];
const PORTS: { readonly [protocol: string]: number } = { 'http:': 80, 'https:': 443 };

/**
 * Where a sink delivers, in words. Of an address only scheme, host and port: the rest of it is a secret with some
 * destinations.
 */
export function destinationText(config: { readonly type: string }): string {
  const members = new Map<string, unknown>(Object.entries(config));
  const text = (name: string): string[] => {
    const value = members.get(name);
    return typeof value === 'string' ? [value] : [];
  };
  const where = [
    ...ADDRESSES.flatMap((name) => textsOf(members.get(name))).map(
      (address) => urlOf(address)?.origin ?? address,
    ),
    ...text('host').map((host) => (members.has('port') ? `${host}:${String(members.get('port'))}` : host)),
    ...text('stem').map((stem) => `${stem}.ndjson`),
    ...NAMES.flatMap((name) => text(name).map((value) => `${name} ${value}`)),
  ];
  return [config.type, where.join(', ')].join(' ').trim();
}

/** What has to be reached for it. None where the destination is on this machine, or answers nobody (UDP). */
export function endpointsOf(config: { readonly type: string }): readonly Endpoint[] {
  const members = new Map<string, unknown>(Object.entries(config));
  const addresses = ADDRESSES.flatMap((name) => textsOf(members.get(name)));
  const found = addresses.flatMap((address) => {
    const url = urlOf(address);
    if (url === null) return [];
    const port = url.port === '' ? (PORTS[url.protocol] ?? 0) : Number(url.port);
    return [{ host: url.hostname.replaceAll(/^\[|\]$/g, ''), port, tls: url.protocol === 'https:' }];
  });
  const [host, port, transport] = ['host', 'port', 'transport'].map((name) => members.get(name));
  if (typeof host === 'string' && typeof port === 'number' && transport !== 'udp') {
    found.push({ host, port, tls: false });
  }
  return found;
}

function urlOf(text: string): URL | null {
  return /^[a-z]+:\/\//.test(text) && URL.canParse(text) ? new URL(text) : null;
}

function textsOf(value: unknown): string[] {
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  return values.filter((each) => typeof each === 'string');
}
