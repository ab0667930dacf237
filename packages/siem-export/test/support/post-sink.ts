import { z } from 'zod';
import { httpUrl, tlsConfig } from '../../src/http/http-config.ts';
import { secretSource } from '../../src/secret.ts';
import type { Sink } from '../../src/sinks/sink.ts';

/** A kind of destination with every kind of setting that sinks have. It cannot be opened. */
export const POST_SINK: Sink = {
  type: 'post',
  config: z.strictObject({
    type: z.literal('post'),
    url: httpUrl,
    token: secretSource,
    tls: tlsConfig.default({}),
    compression: z.enum(['gzip', 'none']).default('gzip'),
    batchEventsMax: z.int().min(1).max(10_000).default(1_000),
    headers: z.record(z.string(), secretSource).default({}),
  }),
  open: () => Promise.reject(new Error('this sink is only for its settings')),
};
