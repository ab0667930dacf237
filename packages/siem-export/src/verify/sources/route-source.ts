import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { deadLettersStem, parseRoutes, type RouteInput } from '../../route.ts';
import { secretReader } from '../../secret.ts';
import { openSearchConfig } from '../../sinks/opensearch.ts';
import type { FeedSource } from '../feed-entry.ts';
import { fileSource } from './file-source.ts';
import { openSearchSource } from './opensearch-source.ts';

/**
 * What the destination of a route holds, with the route's dead letters beside it; `null` where the destination cannot
 * be read, or the format cannot be verified.
 */
export function routeSource(
  input: RouteInput,
  { exportDir, env }: { readonly exportDir: string; readonly env: NodeJS.ProcessEnv },
): FeedSource | null {
  const [route] = parseRoutes([input]);
  if (route === undefined || !VERIFIABLE.has(route.format)) return null;
  const { sink } = route;
  const letters = join(exportDir, `${deadLettersStem(route)}.ndjson`);
  // What ingest rejected stands in a feed of cloudevents too: it would be there twice.
  const spares = route.format !== 'cloudevents' && existsSync(letters) ? [letters] : [];
  if (sink.type === 'file' && 'stem' in sink) {
    return fileSource(join(exportDir, `${String(sink.stem)}.ndjson`), spares);
  }
  const config = openSearchConfig.safeParse(sink);
  if (!config.success || route.format !== 'ecs') return null;
  const [file] = spares;
  const deadLetters = file === undefined ? null : fileSource(file, []);
  return openSearchSource(config.data, { readSecret: secretReader(env), deadLetters });
}

const VERIFIABLE = new Set(['cloudevents', 'ecs', 'ocsf']);
