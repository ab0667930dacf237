import { z } from 'zod';
import { ERRORS, type ErrorCode } from '@tachograph/wire';
import { APPEND_MEDIA_TYPES } from '../http/register.ts';
import type { Route } from '../http/route.ts';

type Json = { readonly [member: string]: unknown };

const TAGS = [
  { name: 'devices', description: 'How a device becomes known.' },
  { name: 'logs', description: 'What devices send to their logs, and their receipts.' },
  { name: 'control', description: 'What administrators decide.' },
  { name: 'operations', description: 'Health and figures.' },
];

const PROBLEM: Json = {
  description: 'RFC 9457 problem details; codes may add members, which their routes describe',
  type: 'object',
  required: ['type', 'title', 'status', 'code', 'detail'],
  properties: {
    type: { type: 'string', format: 'uri' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: {
      type: 'string',
      enum: Object.entries(ERRORS).flatMap(([code, row]) => (row.status === 0 ? [] : [code])),
    },
    detail: { type: 'string' },
    field: { type: 'string' },
    limit: { type: 'number' },
    retryAfterSeconds: { type: 'number' },
  },
};

/** The OpenAPI 3.1 description of `routes`: the very table that they are served from. */
export function openapiDocument(routes: readonly Route[]): Json {
  const paths: { [path: string]: { [method: string]: Json } } = {};
  for (const route of routes) {
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operationOf(route) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Tachograph ingest',
      version: '1',
      description: 'Devices append signed audit events to their logs; administrators decide who may.',
    },
    tags: TAGS,
    paths,
    components: {
      schemas: { Problem: PROBLEM },
      securitySchemes: {
        administrator: {
          type: 'http',
          scheme: 'bearer',
          description: 'A token that reaches a tenant and its children, or all',
        },
      },
    },
  };
}

function operationOf(route: Route): Json {
  const { operationId, tag, summary } = route;
  return {
    operationId,
    tags: [tag],
    summary,
    security: isForAdministrators(route) ? [{ administrator: [] }] : [],
    ...(route.params === null && route.query === null ? {} : { parameters: parametersOf(route) }),
    ...(route.body === null ? {} : { requestBody: requestBodyOf(route.body) }),
    responses: responsesOf(route),
  };
}

function isForAdministrators({ access }: Route): boolean {
  return access === 'admin' || access === 'admin-all';
}

function parametersOf({ params, query }: Route): Json[] {
  return [...parametersIn('path', params), ...parametersIn('query', query)];
}

function parametersIn(place: 'path' | 'query', schema: z.ZodObject | null): Json[] {
  if (schema === null) return [];
  const { properties = {}, required = [] } = schemaOf(schema, 'input') as {
    properties?: { readonly [name: string]: Json };
    required?: readonly string[];
  };
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: place,
    // A path without its parameter would be another path.
    required: place === 'path' || required.includes(name),
    schema: property,
  }));
}

function requestBodyOf(body: z.ZodType | 'append'): Json {
  if (body !== 'append') {
    return { required: true, content: { 'application/json': { schema: schemaOf(body, 'input') } } };
  }
  const schema = { type: 'string', description: 'an append, plain or as gzip' };
  return {
    required: true,
    content: Object.fromEntries(APPEND_MEDIA_TYPES.map((type) => [type, { schema }])),
  };
}

function responsesOf(route: Route): Json {
  const responses: { [status: string]: Json } = {};
  for (const [status, { description, schema, mediaType = 'application/json' }] of Object.entries(
    route.answers,
  )) {
    const [type = mediaType] = mediaType.split(';');
    const json = schema === null ? { type: 'string' } : schemaOf(schema, 'output');
    responses[status] = { description, content: { [type]: { schema: json } } };
  }
  for (const [status, codes] of codesByStatus(route)) {
    responses[status] = {
      description: codes.map((code) => `\`${code}\`: ${ERRORS[code].meaning}`).join('\n\n'),
      content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
    };
  }
  return responses;
}

/** The codes of a route by their status: its own, and those of its access and its parsing. */
function codesByStatus(route: Route): Map<string, ErrorCode[]> {
  const codes = new Set<ErrorCode>(route.errors);
  if (isForAdministrators(route)) codes.add('ERR_UNAUTHENTICATED').add('ERR_FORBIDDEN');
  if (route.params !== null) codes.add('ERR_NAME');
  if (route.query !== null) codes.add('ERR_REQUEST');
  if (route.body !== null)
    codes.add('ERR_REQUEST').add('ERR_MEDIA_TYPE').add('ERR_BODY_TOO_LARGE').add('ERR_OVERLOADED');
  codes.add('ERR_INTERNAL').add('ERR_REGISTRY_UNAVAILABLE');
  const byStatus = new Map<string, ErrorCode[]>();
  for (const code of [...codes].sort()) {
    const status = String(ERRORS[code].status);
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return byStatus;
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
  // OpenAPI 3.1 takes JSON Schema 2020-12 as it is; the dialect is the document's.
  const { $schema: _dialect, ...json } = z.toJSONSchema(schema, { io, target: 'draft-2020-12' });
  return json;
}
