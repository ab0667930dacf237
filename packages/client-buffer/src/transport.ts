import type { Bytes } from '@tachograph/wire';

export type HttpRequest = {
  readonly method: 'GET' | 'POST';
  /** Below the endpoint, e.g. `/v1/keys`. */
  readonly path: string;
  readonly contentType?: 'text/plain' | 'application/json';
  readonly body?: Bytes;
  /** The page is going away: outlive it. */
  readonly keepalive?: boolean;
};

/** What came back. Whether it is an answer of ours is not said yet. */
export type HttpAnswer =
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly retryAfter: string | null;
      readonly body: string;
    }
  | { readonly kind: 'failure'; readonly detail: string };

/** Port: one HTTP exchange. Never rejects: a failure is an answer, too. */
export type Transport = { send(request: HttpRequest): Promise<HttpAnswer> };
