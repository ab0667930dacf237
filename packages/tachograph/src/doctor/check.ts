/** What one check found. `mend` says what to do about it, one line each. */
export type Finding = {
  readonly check: string;
  readonly state: 'good' | 'note' | 'bad';
  readonly found: string;
  readonly mend: readonly string[];
};

export function good(check: string, found: string): Finding {
  return { check, state: 'good', found, mend: [] };
}

/** Worth knowing, but nothing stops working for it. */
export function note(check: string, found: string, ...mend: string[]): Finding {
  return { check, state: 'note', found, mend };
}

export function bad(check: string, found: string, ...mend: string[]): Finding {
  return { check, state: 'bad', found, mend };
}

/** What a check looks into, or why it cannot. */
export type Opened<T> =
  { readonly opened: true; readonly value: T } | { readonly opened: false; readonly finding: Finding };

const MARKS = { good: '✓', note: '!', bad: '✗' } as const;

/** A line a finding, its mends under it. */
export function formatFindings(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ check }) => check.length));
  return findings
    .flatMap(({ check, state, found, mend }) => [
      `${MARKS[state]} ${check.padEnd(width)}  ${found}`,
      ...mend.map((line) => `${' '.repeat(width + 4)}→ ${line}`),
    ])
    .map((line) => `${line}\n`)
    .join('');
}
