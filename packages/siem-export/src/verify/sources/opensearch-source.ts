import { utf8 } from '@tachograph/wire';
import { z } from 'zod';
import { openHttpClient } from '../../http/http-client.ts';
import type { ReadSecret } from '../../secret.ts';
import { headersOf } from '../../sinks/opensearch/credentials.ts';
import { wildcardOf } from '../../sinks/opensearch/index-name.ts';
import type { OpenSearchConfig } from '../../sinks/opensearch.ts';
import type { FeedSource } from '../feed-entry.ts';
import { readLine } from './read-line.ts';

const PAGE_EVENTS = 1_000;

const page = z.object({
  hits: z.object({
    hits: z.array(
      z.object({
        _id: z.string(),
        _index: z.string(),
        _source: z.record(z.string(), z.unknown()),
        sort: z.array(z.unknown()),
      }),
    ),
  }),
});

/**
 * What an index holds that the sink `opensearch` wrote in the format `ecs`, log by log and in the order of the indices:
 * the order in which it came there is not kept by it. Dead letters are files, read first.
 *
 * @throws Error where it does not answer as a search answers
 */
export function openSearchSource(
  config: OpenSearchConfig,
  { readSecret, deadLetters }: { readonly readSecret: ReadSecret; readonly deadLetters: FeedSource | null },
): FeedSource {
  const index = wildcardOf(config.index);
  return {
    name: `${new URL(config.url).origin}, index ${index}`,
    isOrdered: false,
    async *items() {
      if (deadLetters !== null) yield* deadLetters.items();
      const timeoutMs = config.timeoutSeconds * 1000;
      const client = await openHttpClient({ tls: config.tls, timeoutMs, now: Date.now });
      try {
        let after: readonly unknown[] | null = null;
        for (;;) {
          const answer = await client.send(
            {
              method: 'POST',
              url: new URL(`/${index}/_search`, config.url).href,
              headers: { ...(await headersOf(config.auth, readSecret)), 'content-type': 'application/json' },
              body: utf8(JSON.stringify(queryAfter(after))),
            },
            new AbortController().signal,
          );
          if (answer.status !== 200) throw new Error(`the search was answered ${answer.status}`);
          const { hits } = page.parse(JSON.parse(answer.body)).hits;
          yield hits.map(({ _id, _index, _source }) => readLine(JSON.stringify(_source), `${_index}/${_id}`));
          if (hits.length < PAGE_EVENTS) return;
          after = hits.at(-1)!.sort;
        }
      } finally {
        await client.close();
      }
    },
  };
}

/** By log and index, and by id last: two documents of one place must not hide each other. */
function queryAfter(after: readonly unknown[] | null) {
  return {
    size: PAGE_EVENTS,
    sort: [{ 'tachograph.log': 'asc' }, { 'event.sequence': 'asc' }, { 'event.id': 'asc' }],
    ...(after === null ? {} : { search_after: after }),
  };
}
