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

/** The answer of `GET api/config`: the configuration, and a token that enrols this browser. */
export type ServedConfig = { readonly config: DemoConfig; readonly enrolmentToken: string | null };

/** The configuration in `text`, or `null` where it is something else, such as a captive portal's page. */
export function parseServedConfig(text: string): ServedConfig | null {
  const value = parseJson(text);
  if (typeof value !== 'object' || value === null) return null;
  const { authority, tenant, endpoint, directiveKey, enrolmentToken } = value as Record<string, unknown>;
  if (typeof authority !== 'string' || typeof tenant !== 'string') return null;
  return {
    config: {
      authority,
      tenant,
      ...(typeof endpoint === 'string' ? { endpoint } : {}),
      ...(typeof directiveKey === 'string' ? { directiveKey } : {}),
    },
    enrolmentToken: typeof enrolmentToken === 'string' ? enrolmentToken : null,
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON is not a configuration: that is this function's answer, not a failure.
    return null;
  }
}
