import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { ErrorCode, Fault, TenantId } from '@tachograph/wire';
import type { ProblemExtras } from './problem.ts';

/** What a handler answers: a body with its status, or a fault, which becomes problem+json. */
export type Answer =
  | {
      readonly status: number;
      readonly body: unknown;
      readonly headers?: { readonly [name: string]: string };
    }
  | { readonly fault: Fault; readonly extras?: ProblemExtras };

/** Who may call. `admin` tokens reach a tenant and its children, or all; `admin-all` wants one of the latter. */
type Access = 'public' | 'device' | 'admin' | 'admin-all';

/** A good administrator token. `tenant` is what it reaches, with its children; `null` reaches all. */
export type AdminGrant = { readonly id: string; readonly tenant: TenantId | null };

export type RouteMethod = 'GET' | 'POST' | 'PUT' | 'DELETE';

/** What a successful answer is. A `null` schema is text of the media type. */
type AnswerSchema = {
  readonly description: string;
  readonly schema: z.ZodType | null;
  readonly mediaType?: string;
};

/** A valid request: parsed members, and the bare request for what a schema cannot say (bodies that stream). */
export type RouteInput<Params, Query, Body> = {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  /** Where the request comes from, as far as that can be believed. */
  readonly address: string;
  /** Whose token it carries; `null` on routes that ask for none. */
  readonly admin: AdminGrant | null;
  readonly request: FastifyRequest;
};

/**
 * One route, with all that is published about it. The routes that are served and `/openapi.json` are both made
 * from these, so neither can name what the other does not.
 */
export type Route = {
  readonly method: RouteMethod;
  /** With parameters in braces, as OpenAPI writes them. */
  readonly path: string;
  readonly operationId: string;
  readonly tag: string;
  readonly summary: string;
  readonly access: Access;
  readonly params: z.ZodObject | null;
  readonly query: z.ZodObject | null;
  /** A schema of JSON, `append` for a body that the handler reads itself, or `null` for none. */
  readonly body: z.ZodType | 'append' | null;
  readonly answers: { readonly [status: number]: AnswerSchema };
  /** The codes that this route answers by itself; those of its access and its parsing are added. */
  readonly errors: readonly ErrorCode[];
  readonly handle: (input: RouteInput<unknown, unknown, unknown>) => Promise<Answer>;
};

type Parsed<S> = S extends z.ZodType ? z.output<S> : undefined;

/** Declares a route; its handler is given what its schemas parse to. */
export function route<
  P extends z.ZodObject | null = null,
  Q extends z.ZodObject | null = null,
  B extends z.ZodType | 'append' | null = null,
>(
  spec: Omit<Route, 'params' | 'query' | 'body' | 'handle' | 'errors'> & {
    readonly params?: P;
    readonly query?: Q;
    readonly body?: B;
    readonly errors?: readonly ErrorCode[];
    readonly handle: (input: RouteInput<Parsed<P>, Parsed<Q>, Parsed<B>>) => Promise<Answer>;
  },
): Route {
  return {
    ...spec,
    params: spec.params ?? null,
    query: spec.query ?? null,
    body: spec.body ?? null,
    errors: spec.errors ?? [],
    // The registrar calls a handler only with what the schemas of the same route have parsed.
    handle: (input) => spec.handle(input as RouteInput<Parsed<P>, Parsed<Q>, Parsed<B>>),
  };
}
