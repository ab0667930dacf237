import { errorCode } from '../files/file-system.ts';
import type { RouteInput } from '../route.ts';
import { systemClock } from '../runtime.ts';
import { SINKS } from '../sinks/registry.ts';
import { secretReader, secretSource, type ReadSecret, type SecretSource } from '../secret.ts';
import type { Probe, ProbeSurroundings, Sink } from '../sinks/sink.ts';
import { endpointsOf } from './destination.ts';
import { reach } from './reach.ts';

/** The same for a route of the exporter, with the secrets of `env` and of files. */
export async function probeRoute(
  { sink: config }: RouteInput,
  { env, exportDir, signal }: { env: NodeJS.ProcessEnv; exportDir: string; signal: AbortSignal },
): Promise<Probe> {
  const sink = SINKS.find(({ type }) => type === config.type);
  if (sink === undefined) throw new Error('the routes were not checked');
  return probeDestination(sink, config, {
    exportDir,
    readSecret: secretReader(env),
    clock: systemClock,
    signal,
  });
}

/**
 * Looks whether a route's destination could take events now, without sending any: its secrets are there, and it is
 * reached or, where the sink knows how, asked. Says so in words, with what mends it; never with a secret.
 *
 * @param config what the sink's schema takes
 */
export async function probeDestination(
  sink: Sink,
  config: { readonly type: string },
  surroundings: ProbeSurroundings,
): Promise<Probe> {
  const missing = await missingSecret(config, surroundings.readSecret);
  if (missing !== null) return missing;
  if (sink.probe !== undefined) return asked(sink.probe(config, surroundings));
  const endpoints = endpointsOf(config);
  for (const endpoint of endpoints) {
    const probe = await reach(endpoint, tlsMember(config), surroundings.signal);
    if (!probe.ready) return probe;
  }
  return endpoints.length === 0
    ? { ready: true, found: 'nothing of it can be tried without sending an event' }
    : { ready: true, found: 'it can be reached' };
}

/** What a sink throws may hold what it was sent or asked with, so only its code is shown. */
async function asked(answer: Promise<Probe>): Promise<Probe> {
  try {
    return await answer;
  } catch (error) {
    return { ready: false, found: `it could not be asked (${errorCode(error)})`, mend: [] };
  }
}

async function missingSecret(config: unknown, readSecret: ReadSecret): Promise<Probe | null> {
  for (const source of secretsIn(config)) {
    try {
      await readSecret(source);
    } catch (error) {
      return {
        ready: false,
        found: error instanceof Error ? error.message : 'a secret cannot be read',
        mend: [
          'env' in source
            ? `Give ${source.env} to the process that exports, and to this command.`
            : `Put the secret into ${source.file}, readable by the user of the process that exports.`,
        ],
      };
    }
  }
  return null;
}

function secretsIn(value: unknown): SecretSource[] {
  if (typeof value !== 'object' || value === null) return [];
  const { data } = secretSource.safeParse(value);
  return data === undefined ? Object.values(value).flatMap(secretsIn) : [data];
}

function tlsMember(config: object): unknown {
  return 'tls' in config ? config.tls : undefined;
}
