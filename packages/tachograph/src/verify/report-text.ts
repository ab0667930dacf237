import { FINDINGS, type FeedReport, type Finding, type LogReport } from '@tachograph/siem-export';
import { printable } from '../io.ts';
import { formatTable } from '../table.ts';

const FINDINGS_SHOWN = 40;
const COLUMNS = ['tenant', 'device', 'entries', 'proven to', 'findings'];

/** A report for people: a row a log, then what was found, then one sentence. */
export function reportText(report: FeedReport): string {
  const rows = report.logs.map((log) => [log.tenant, log.device, log.entries, log.provenTo, summaryOf(log)]);
  const sections = [
    formatTable(COLUMNS, rows),
    findingsText(report),
    unreadableText(report),
    noticesText(report),
  ];
  return `${printable(report.source)}\n\n${sections.filter((text) => text !== '').join('\n')}`;
}

/** What the whole comes to, without its mark. */
export function verdictOf(report: FeedReport): string {
  const { logs, unreadableCount } = report;
  const entries = logs.reduce((sum, log) => sum + log.entries, 0);
  const whole = `${count(logs.length, 'log')}, ${count(entries, 'entry', 'entries')}`;
  const wrong = logs.filter(({ findings }) => findings.length > 0).length;
  if (wrong > 0) return `Not complete: ${wrong} of ${whole} in all.`;
  if (unreadableCount > 0)
    return `${whole}: each is proven, but ${count(unreadableCount, 'line')} cannot be read.`;
  return `Complete: ${whole}, each proven by a signature of its device.`;
}

function summaryOf({ findings, carried }: LogReport): string {
  const kinds = new Map<string, number>();
  for (const { kind, from, to } of findings) kinds.set(kind, (kinds.get(kind) ?? 0) + to - from);
  const parts = [...kinds].map(([kind, indices]) => `${indices.toLocaleString('en-US')} ${kind}`);
  if (carried > 0) parts.push(`(${carried} carried over)`);
  return parts.length === 0 ? 'none' : parts.join(', ');
}

function findingsText({ logs }: FeedReport): string {
  const lines = logs.flatMap((log) => log.findings.map((finding) => findingText(log, finding)));
  if (lines.length === 0) return '';
  const more = lines.length - FINDINGS_SHOWN;
  const shown = lines.slice(0, FINDINGS_SHOWN).join('');
  return more > 0 ? `${shown}  … and ${more} more; --json has all of them.\n` : shown;
}

function findingText({ tenant, device }: LogReport, { kind, from, to, detail }: Finding): string {
  const where = to - from === 1 ? `${from}` : `${from} to ${to - 1}`;
  const more = detail === null ? '' : ` (${detail})`;
  return `✗ ${printable(`${tenant}/${device} ${where}: ${FINDINGS[kind].says}${more}`)}\n`;
}

function unreadableText({ unreadable, unreadableCount }: FeedReport): string {
  const lines = unreadable.slice(0, 5).map(({ place, reason }) => `? ${printable(place)}: ${reason}\n`);
  const more = unreadableCount - lines.length;
  return `${lines.join('')}${more > 0 ? `  … and ${more} more lines that cannot be read.\n` : ''}`;
}

/** What the exporter told is signed by nobody, and said all the same. */
function noticesText({ notices }: FeedReport): string {
  if (notices.size === 0) return '';
  const parts = [...notices].map(([action, times]) => `${times} × ${printable(action)}`);
  return `Told by the exporter, and signed by nobody: ${parts.join(', ')}\n`;
}

function count(number: number, one: string, many = `${one}s`): string {
  return `${number.toLocaleString('en-US')} ${number === 1 ? one : many}`;
}
