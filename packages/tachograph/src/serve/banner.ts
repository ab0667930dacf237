/** What an operator sees when the all-in-one server is up. */
export type Started = {
  readonly url: string;
  readonly demo: 'served' | 'off' | 'not built';
  readonly dataDir: string;
  readonly exportDir: string;
  /** The administrator token, only at the start that made it. */
  readonly newToken: string | null;
  /** Where that token is kept, or `null` where it comes from the environment. */
  readonly tokenFile: string | null;
};

const DEMO_LINE = {
  served: (url: string) => `${url}/demo/`,
  off: () => 'off',
  'not built': () => 'not built; build it with: npm run build',
} as const;

export function formatBanner(started: Started): string {
  const rows: [string, string][] = [
    ['Demo', DEMO_LINE[started.demo](started.url)],
    ['API', `${started.url}/openapi.json`],
    ['Health', `${started.url}/readyz   metrics: ${started.url}/metrics`],
    ['Data', started.dataDir],
    ['Exports', started.exportDir],
    ['Token', started.tokenFile ?? 'ADMIN_TOKEN'],
  ];
  const token =
    started.newToken === null
      ? ''
      : `\n  The administrator token, shown this once:\n    ${started.newToken}\n`;
  const lines = rows.map(([name, value]) => `  ${name.padEnd(8)} ${value}\n`).join('');
  return `\n  Tachograph is recording.\n\n${lines}${token}\n  Stop with Ctrl-C.\n\n`;
}
