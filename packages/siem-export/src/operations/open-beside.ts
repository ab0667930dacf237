import { nodeFiles } from '../files/file-system.ts';
import { parseRoutes, type Route, type RouteInput } from '../route.ts';
import { systemClock, type Logger } from '../runtime.ts';
import { secretReader } from '../secret.ts';
import { SINKS } from '../sinks/registry.ts';
import type { OpenSink, Sink } from '../sinks/sink.ts';

/** A route and its destination, opened beside an exporter that may be running. */
export type Beside = {
  readonly route: Route;
  readonly sink: OpenSink;
  /** Where a file route writes instead of the feed; `null` for the destination itself. */
  readonly file: string | null;
};

type Options = {
  /** What for: it stands in the name of a file. */
  readonly purpose: 'test' | 'retry' | 'replay';
  readonly exportDir: string;
  readonly env: NodeJS.ProcessEnv;
  readonly logger: Logger;
  readonly sinks?: readonly Sink[];
};

/**
 * Opens the destination of a route for a while. The feed of a file route is its exporter's alone, which knows where it
 * ends: what is sent beside it goes to `<stem>-<purpose>.ndjson`.
 *
 * @throws where the destination cannot be prepared
 */
export async function openBeside(input: RouteInput, options: Options): Promise<Beside> {
  const { purpose, exportDir, env, logger, sinks = SINKS } = options;
  const [route] = parseRoutes([withOwnFile(input, purpose)], sinks);
  const found = sinks.find(({ type }) => type === route!.sink.type);
  if (route === undefined || found === undefined) throw new Error('a route has a sink');
  const sink = await found.open(route.sink, {
    format: route.format,
    exportDir,
    files: nodeFiles,
    clock: systemClock,
    logger,
    readSecret: secretReader(env),
    marks: [],
  });
  const file = sink.mark() !== null && 'stem' in route.sink ? `${String(route.sink.stem)}.ndjson` : null;
  return { route, sink, file };
}

function withOwnFile(input: RouteInput, purpose: string): RouteInput {
  const { sink } = input;
  const stem = 'stem' in sink && typeof sink.stem === 'string' ? sink.stem : null;
  return stem === null ? input : { ...input, sink: { ...sink, stem: `${stem}-${purpose}` } };
}
