import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { z } from 'zod';
import { ERRORS } from '@tachograph/wire';
import { controlRoutes } from '../../src/control/routes.ts';
import { enrolmentRoutes } from '../../src/enrolment/routes.ts';
import { createIngest, type Ingest } from '../../src/server.ts';
import { Api } from '../api-harness.ts';
import { Harness } from '../harness.ts';

const media = z.record(z.string(), z.object({ schema: z.record(z.string(), z.unknown()) }));
const operation = z.strictObject({
  operationId: z.string().regex(/^[a-z][A-Za-z]+$/),
  tags: z.array(z.string()).length(1),
  summary: z.string().min(10),
  security: z.array(z.record(z.string(), z.array(z.string()))),
  parameters: z
    .array(
      z.strictObject({
        name: z.string(),
        in: z.enum(['path', 'query']),
        required: z.boolean(),
        schema: z.record(z.string(), z.unknown()).refine((schema) => 'type' in schema, 'has a type'),
      }),
    )
    .optional(),
  requestBody: z.strictObject({ required: z.literal(true), content: media }).optional(),
  responses: z.record(
    z.string().regex(/^[2-5][0-9]{2}$/),
    z.strictObject({ description: z.string().min(2), content: media }),
  ),
});
const documentSchema = z.object({
  openapi: z.literal('3.1.0'),
  info: z.object({ title: z.string(), version: z.string() }),
  tags: z.array(z.object({ name: z.string() })),
  paths: z.record(
    z.string().startsWith('/'),
    z.record(z.enum(['get', 'post', 'put', 'delete']).or(z.string()), operation),
  ),
  components: z.object({
    schemas: z.record(z.string(), z.unknown()),
    securitySchemes: z.record(z.string(), z.unknown()),
  }),
});
type Document = z.output<typeof documentSchema>;

let harness: Harness;
let api: Api;
let ingest: Ingest;
let url = '';
let document: Document;
let close: () => Promise<void>;
beforeAll(async () => {
  harness = await Harness.create();
  api = await Api.open();
  const [log, registry] = [await harness.openLog(), await harness.openRegistry()];
  const { config, keys } = harness;
  const logger = pino({ level: 'silent' });
  // With the directive key, and so with the control API.
  ingest = await createIngest({ config, keys, log, registry, logger, directives: api.context.directives });
  url = await ingest.app.listen({ host: '127.0.0.1', port: 0 });
  document = documentSchema.parse(await (await fetch(`${url}/openapi.json`)).json());
  close = async () => {
    await ingest.close();
    await registry.close();
    await log.close();
    await api.close();
    await harness.close();
  };
});
afterAll(() => close());

function operations() {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, details]) =>
      Object.assign({ method: method.toUpperCase(), path }, details),
    ),
  );
}

describe('/openapi.json', () => {
  it('names every operation once, with tags and references that exist', () => {
    const ids = operations().map(({ operationId }) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
    const tags = document.tags.map(({ name }) => name);
    for (const { tags: used } of operations()) expect(tags).toContain(used[0]);
    for (const [, name] of JSON.stringify(document.paths).matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
      expect(Object.keys(document.components.schemas)).toContain(name);
    }
  });

  it('declares every parameter of every path, and no other', () => {
    for (const { path, parameters = [] } of operations()) {
      const inPath = [...path.matchAll(/\{([^}]+)\}/g)].map(([, name]) => name);
      expect(parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name)).toEqual(
        inPath,
      );
    }
  });

  it('has every route that is served', () => {
    const served = ingest.app
      .printRoutes({ commonPrefix: false, includeHooks: false })
      .split('\n')
      .filter((line) => line.includes('('));
    // A path that is served is a line of the tree; its methods stand in brackets.
    const methods = served.flatMap((line) => /\(([A-Z, ]+)\)/.exec(line)?.[1]?.split(', ') ?? []);
    const own = methods.filter((method) => method !== 'HEAD' && method !== 'OPTIONS');
    expect(own).toHaveLength(operations().length);
  });

  it('has no route that is not served', () => {
    for (const { method, path } of operations()) {
      const pattern = path.replaceAll(/\{([a-zA-Z]+)\}/g, ':$1');
      const served = ingest.app.hasRoute({ method, url: pattern });
      expect([method, pattern, served]).toEqual([method, pattern, true]);
    }
  });

  it('says of the control API that it wants a token, and of nothing that devices call', () => {
    const paths = Object.keys(document.paths);
    for (const { path } of [...controlRoutes(api.context), ...enrolmentRoutes(api.context)]) {
      expect(paths).toContain(path);
    }
    for (const { path, security } of operations()) {
      if (path.startsWith('/admin/')) expect(security).toEqual([{ administrator: [] }]);
      if (path.startsWith('/v1/enrolment')) expect(security).toEqual([]);
    }
  });

  it('names for each status the codes that have it in the table', () => {
    for (const { responses } of operations()) {
      for (const [status, { description }] of Object.entries(responses)) {
        for (const [, code] of description.matchAll(/`(ERR_[A-Z_]+)`/g)) {
          expect(ERRORS[code as keyof typeof ERRORS].status).toBe(Number(status));
        }
      }
    }
  });
});

describe('operations', () => {
  it('answer that the node lives, is ready once it has read its log, and what it counted', async () => {
    await ingest.ready();
    expect((await fetch(`${url}/livez`)).status).toBe(200);
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    const metrics = await fetch(`${url}/metrics`);
    expect(metrics.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(await metrics.text()).toContain('tachograph_http_request_duration_seconds_count');
  });
});
