import { z } from 'zod';
import { LIMITS, parseAuthority, type Authority, type Fault } from '@tachograph/wire';
import { parseNetwork, type Network } from './core/network.ts';
import { isPostgresUrl } from './registry/postgres-url.ts';
import { Secret } from './secret.ts';

/** The settings of an ingest node and of the control role. */
export type IngestConfig = {
  readonly port: number;
  readonly host: string;
  readonly dataDir: string;
  /** Where the registry is in PostgreSQL; `null` is a file in the data folder. */
  readonly databaseUrl: Secret | null;
  readonly authority: Authority;
  /** An administrator token that reaches every tenant; `null` where none is set. */
  readonly adminToken: Secret | null;
  readonly logLevel: LogLevel;
  /** Peers whose `X-Forwarded-For` is believed. */
  readonly trustedProxies: readonly Network[];
  readonly headersTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly appendTimeoutMs: number;
  readonly shutdownTimeoutMs: number;
  readonly checkInSeconds: number;
  readonly deviceAppendsPerSecond: number;
  readonly deviceEventsPerSecond: number;
  readonly revokedEventsPerSecond: number;
  readonly enrolmentsPerMinute: number;
  readonly restoresPerMinute: number;
  readonly laneBytesMax: number;
  readonly heldBytesMax: number;
};

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** One variable of the environment: `--help`, the documentation and the parser are all made from this. */
export type ConfigVariable = {
  readonly name: string;
  /** As it would be written in the environment; `null` where there is none. */
  readonly fallback: string | null;
  /** What a valid value looks like, as it completes "expected …". */
  readonly expected: string;
  readonly meaning: string;
  readonly secret: boolean;
};

export type ConfigProblem = { readonly variable: string; readonly expected: string };

export type LoadedConfig =
  | { readonly ok: true; readonly value: IngestConfig }
  | { readonly ok: false; readonly fault: Fault; readonly problems: readonly ConfigProblem[] };

type Setting<T> = Omit<ConfigVariable, 'name' | 'secret'> & {
  readonly secret?: boolean;
  readonly parse: z.ZodType<T, string>;
};

function whole(min: number, max: number, fallback: number, meaning: string): Setting<number> {
  const parse = z
    .string()
    .regex(/^[0-9]{1,12}$/)
    .transform(Number)
    .pipe(z.int().min(min).max(max));
  return { fallback: String(fallback), expected: `a whole number from ${min} to ${max}`, meaning, parse };
}

/** Read in seconds, kept in milliseconds. */
function seconds(min: number, max: number, fallback: number, meaning: string): Setting<number> {
  const setting = whole(min, max, fallback, meaning);
  return { ...setting, parse: setting.parse.transform((value) => value * 1000) };
}

const SETTINGS = {
  PORT: whole(0, 65_535, 8787, 'TCP port to listen on; 0 takes any that is free.'),
  HOST: {
    fallback: '127.0.0.1',
    expected: 'an address or a host name to listen on',
    meaning: 'Address to listen on. Set 0.0.0.0 behind a TLS proxy or in a container.',
    parse: z.string().regex(/^[0-9A-Za-z.:_-]{1,253}$/),
  },
  DATA_DIR: {
    fallback: './data',
    expected: 'the path of a folder',
    meaning: 'Folder of keys, registry, embedded log and exports.',
    parse: z.string().min(1),
  },
  DATABASE_URL: {
    fallback: null,
    expected: 'postgres://user:password@host:5432/database, sslmode=disable, require or verify-full if any',
    meaning:
      'PostgreSQL as the registry, which several nodes share; with sslmode=verify-full over TLS. Unset, it is a file in DATA_DIR.',
    secret: true,
    parse: z
      .string()
      .refine(isPostgresUrl)
      .transform((value) => new Secret(value)),
  },
  AUTHORITY: {
    fallback: 'localhost',
    expected: 'a host name in lower case, with a port or without',
    meaning: 'Name of this deployment. It stands in every log and every key: choose it once.',
    parse: z.string().transform((value, ctx) => {
      const parsed = parseAuthority(value);
      if (parsed.ok) return parsed.value;
      ctx.addIssue({ code: 'custom', message: parsed.fault.detail });
      return z.NEVER;
    }),
  },
  ADMIN_TOKEN: {
    fallback: null,
    expected: '20 to 256 printable ASCII characters without spaces',
    meaning: 'Administrator token that reaches every tenant.',
    secret: true,
    parse: z
      .string()
      .regex(/^[\x21-\x7e]{20,256}$/)
      .transform((value) => new Secret(value)),
  },
  LOG_LEVEL: {
    fallback: 'info',
    expected: `one of ${LOG_LEVELS.join(', ')}`,
    meaning: 'Least severe log lines to write.',
    parse: z.enum(LOG_LEVELS),
  },
  TRUSTED_PROXIES: {
    fallback: '',
    expected: 'addresses or CIDRs, comma-separated, e.g. 10.0.0.0/8,fd00::/8',
    meaning: 'Peers whose X-Forwarded-For is believed; without them a client could claim any address.',
    parse: z.string().transform((value, ctx): readonly Network[] => {
      const networks = value
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== '')
        .map(parseNetwork);
      if (!networks.includes(null)) return networks.filter((network) => network !== null);
      ctx.addIssue({ code: 'custom', message: 'not a CIDR' });
      return z.NEVER;
    }),
  },
  HEADERS_TIMEOUT_SECONDS: seconds(1, 600, 10, 'Time for the headers of a request to arrive.'),
  REQUEST_TIMEOUT_SECONDS: seconds(1, 3600, 60, 'Time for a whole request to arrive, headers included.'),
  APPEND_TIMEOUT_SECONDS: seconds(1, 600, 15, 'Time for the ordered log to settle one append.'),
  SHUTDOWN_TIMEOUT_SECONDS: seconds(
    1,
    600,
    25,
    'Time for requests in flight to settle after SIGTERM or SIGINT.',
  ),
  CHECK_IN_SECONDS: whole(10, 86_400, 300, 'Seconds between check-ins that devices are asked for.'),
  DEVICE_APPENDS_PER_SECOND: whole(
    1,
    100_000,
    LIMITS.deviceAppendsPerSecondMax,
    'Appends a device may send in a second, refused ones included.',
  ),
  DEVICE_EVENTS_PER_SECOND: whole(
    LIMITS.appendLeavesMax,
    10_000_000,
    LIMITS.deviceEventsPerSecondMax,
    'Events a device may send in a second, refused ones included.',
  ),
  REVOKED_EVENTS_PER_SECOND: whole(
    1,
    10_000_000,
    200,
    'Events a revoked device may send in a second, after a first append of any size.',
  ),
  ENROLMENTS_PER_MINUTE: whole(
    1,
    1_000_000,
    600,
    'Enrolments that one address may try in a minute, refused ones included.',
  ),
  RESTORES_PER_MINUTE: whole(
    1,
    1_000_000,
    600,
    'Restores that one address may try in a minute, refused ones included.',
  ),
  LANE_BYTES_MAX: whole(
    4 * LIMITS.appendBytesMax,
    4 * 1024 ** 3,
    32 * 1024 ** 2,
    'Bytes that may wait for one partition of the log before devices are told to come back later.',
  ),
  HELD_BYTES_MAX: whole(
    32 * LIMITS.appendBytesMax,
    16 * 1024 ** 3,
    128 * 1024 ** 2,
    'Bytes of requests that the process holds in all, bodies that arrive (at most half) and what waits for the log.',
  ),
} satisfies { readonly [name: string]: Setting<unknown> };

type SettingName = keyof typeof SETTINGS;

export const CONFIG_VARIABLES: readonly ConfigVariable[] = Object.entries(SETTINGS).map(
  ([name, setting]: [string, Setting<unknown>]) => ({
    name,
    fallback: setting.fallback,
    expected: setting.expected,
    meaning: setting.meaning,
    secret: setting.secret ?? false,
  }),
);

/**
 * Reads the settings from `env`; a variable that is set to nothing counts as unset. Every problem is in the
 * answer, with the variable's name and what would be valid, never with the value that was found.
 * @returns ERR_CONFIG
 */
export function loadConfig(env: { readonly [name: string]: string | undefined }): LoadedConfig {
  const problems: ConfigProblem[] = [];
  const read = <T>(name: SettingName, setting: Setting<T>): T | null => {
    const text = env[name] || setting.fallback;
    if (text === null) return null;
    const parsed = setting.parse.safeParse(text);
    if (parsed.success) return parsed.data;
    problems.push({ variable: name, expected: setting.expected });
    return null;
  };
  // `null` beside a problem never leaves this function.
  const need = <T>(name: SettingName, setting: Setting<T>): T => read(name, setting) as T;
  const value: IngestConfig = {
    port: need('PORT', SETTINGS.PORT),
    host: need('HOST', SETTINGS.HOST),
    dataDir: need('DATA_DIR', SETTINGS.DATA_DIR),
    databaseUrl: read('DATABASE_URL', SETTINGS.DATABASE_URL),
    authority: need('AUTHORITY', SETTINGS.AUTHORITY),
    adminToken: read('ADMIN_TOKEN', SETTINGS.ADMIN_TOKEN),
    logLevel: need('LOG_LEVEL', SETTINGS.LOG_LEVEL),
    trustedProxies: need('TRUSTED_PROXIES', SETTINGS.TRUSTED_PROXIES),
    headersTimeoutMs: need('HEADERS_TIMEOUT_SECONDS', SETTINGS.HEADERS_TIMEOUT_SECONDS),
    requestTimeoutMs: need('REQUEST_TIMEOUT_SECONDS', SETTINGS.REQUEST_TIMEOUT_SECONDS),
    appendTimeoutMs: need('APPEND_TIMEOUT_SECONDS', SETTINGS.APPEND_TIMEOUT_SECONDS),
    shutdownTimeoutMs: need('SHUTDOWN_TIMEOUT_SECONDS', SETTINGS.SHUTDOWN_TIMEOUT_SECONDS),
    checkInSeconds: need('CHECK_IN_SECONDS', SETTINGS.CHECK_IN_SECONDS),
    deviceAppendsPerSecond: need('DEVICE_APPENDS_PER_SECOND', SETTINGS.DEVICE_APPENDS_PER_SECOND),
    deviceEventsPerSecond: need('DEVICE_EVENTS_PER_SECOND', SETTINGS.DEVICE_EVENTS_PER_SECOND),
    revokedEventsPerSecond: need('REVOKED_EVENTS_PER_SECOND', SETTINGS.REVOKED_EVENTS_PER_SECOND),
    restoresPerMinute: need('RESTORES_PER_MINUTE', SETTINGS.RESTORES_PER_MINUTE),
    enrolmentsPerMinute: need('ENROLMENTS_PER_MINUTE', SETTINGS.ENROLMENTS_PER_MINUTE),
    laneBytesMax: need('LANE_BYTES_MAX', SETTINGS.LANE_BYTES_MAX),
    heldBytesMax: need('HELD_BYTES_MAX', SETTINGS.HELD_BYTES_MAX),
  };
  if (problems.length === 0 && value.headersTimeoutMs > value.requestTimeoutMs) {
    problems.push({
      variable: 'HEADERS_TIMEOUT_SECONDS',
      expected: 'no more than REQUEST_TIMEOUT_SECONDS, which includes it',
    });
  }
  if (problems.length === 0) return { ok: true, value };
  const detail = problems.map(({ variable, expected }) => `${variable}: expected ${expected}`).join('; ');
  return { ok: false, fault: { code: 'ERR_CONFIG', detail, field: problems[0]!.variable }, problems };
}
