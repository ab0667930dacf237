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

/** What a spreadsheet takes for the start of a formula. */
const FORMULA_START = /^[=+\-@\t\r\n]/;

/** The targets as CSV (RFC 4180), one a line below the names of the columns. */
export function formatTargetsCsv(targets: readonly Target[]): string {
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
  return [COLUMNS, ...rows].map((row) => `${row.map(cellOf).join(',')}\r\n`).join('');
}

/**
 * One cell. Names are what apps and people chose: an apostrophe in front keeps a spreadsheet from computing them
 * ("CSV injection", OWASP).
 */
function cellOf(text: string): string {
  const harmless = FORMULA_START.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
