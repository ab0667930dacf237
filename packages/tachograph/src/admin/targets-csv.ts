import type { Target } from './offboarding-answer.ts';

const COLUMNS = [
  'tenant',
  'type',
  'id',
  'name',
  'how',
  'first',
  'last',
  'devices',
  'late',
  'revocation',
] as const;

/** What a spreadsheet takes for the start of a formula: some take the full-width forms as well. */
const FORMULA_START = /^[=+\-@\uff1d\uff0b\uff0d\uff20\t\r\n]/;

/** The last line of a list that is not complete: whoever gets the file alone must not take it for all. */
const INCOMPLETE = ['', 'INCOMPLETE', 'this list is not complete', '', '', '', '', '', '', ''] as const;

/**
 * The targets as CSV (RFC 4180), one a line below the names of the columns, and a line more where there are others
 * that are not known.
 */
export function formatTargetsCsv(targets: readonly Target[], isComplete: boolean): string {
  const rows = targets.map((target) => [
    target.tenant,
    target.type,
    target.id,
    target.name ?? '',
    target.kinds.join(' '),
    target.firstAt,
    target.lastAt,
    String(target.devices),
    target.late ? 'yes' : 'no',
    target.revocation.join(' '),
  ]);
  return [COLUMNS, ...rows, ...(isComplete ? [] : [INCOMPLETE])]
    .map((row) => `${row.map(cellOf).join(',')}\r\n`)
    .join('');
}

/**
 * One cell. Names are what apps and people chose: an apostrophe in front keeps a spreadsheet from computing them
 * ("CSV injection", OWASP).
 */
function cellOf(text: string): string {
  const harmless = FORMULA_START.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
