import { expect } from '@jest/globals';
import { ERRORS, type ErrorCode } from '@tachograph/wire';

/** Checks that an answer is the problem of `code` exactly as RFC 9457 and the error table have it. */
export function expectProblem(
  answer: { readonly status: number; readonly body: { readonly [name: string]: unknown } },
  contentType: string | null,
  code: ErrorCode,
  where: { readonly field?: string; readonly limit?: number } = {},
): void {
  const { status, title } = ERRORS[code];
  expect(answer.body).toMatchObject({
    ...where,
    type: `urn:tachograph:error:${code}`,
    title,
    status,
    code,
    detail: expect.stringMatching(/./),
  });
  expect(answer.status).toBe(status);
  expect(contentType).toMatch(/^application\/problem\+json(;|$)/);
}
