/** Which log the page writes. It is kept, because recording has to start without asking anybody. */
export type DemoConfig = {
  readonly authority: string;
  readonly tenant: string;
  /** Base address of the ingest service where it is not the one that serves the page. */
  readonly endpoint?: string;
  readonly directiveKey?: string;
};

/** What the all-in-one server is called unless it is told otherwise. */
export const DEFAULT_CONFIG: DemoConfig = { authority: 'localhost', tenant: 'demo' };

/** The configuration in `text`, or `null` where it is something else, such as a captive portal's page. */
export function parseDemoConfig(text: string): DemoConfig | null {
  const { authority, tenant, endpoint, directiveKey } = parseMembers(text);
  if (typeof authority !== 'string' || typeof tenant !== 'string') return null;
  return {
    authority,
    tenant,
    ...(typeof endpoint === 'string' ? { endpoint } : {}),
    ...(typeof directiveKey === 'string' ? { directiveKey } : {}),
  };
}

/** The enrolment token in the answer of `POST api/enrolment-token`, or `null` where it is something else. */
export function parseEnrolmentToken(text: string): string | null {
  const { token } = parseMembers(text);
  return typeof token === 'string' ? token : null;
}

function parseMembers(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    // What is not JSON has no members: that is this function's answer, not a failure.
    return {};
  }
}
