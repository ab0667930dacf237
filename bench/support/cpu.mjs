import { readdirSync, readFileSync } from 'node:fs';

/** Clock ticks a second in /proc (`getconf CLK_TCK` is 100 wherever Linux runs these). */
const TICKS = 100;

/** CPU seconds that the process `pid` and its living descendants have used; NaN where there is no /proc. */
export function cpuSecondsOf(pid) {
  const processes = new Map();
  for (const entry of entriesOf('/proc')) {
    const stat = /^\d+$/.test(entry) ? read(`/proc/${entry}/stat`) : null;
    if (stat === null) continue;
    // The name in parentheses may hold spaces itself.
    const [, parent, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    processes.set(Number(entry), { parent: Number(parent), ticks: Number(fields[9]) + Number(fields[10]) });
  }
  if (!processes.has(pid)) return NaN;
  let ticks = 0;
  for (const [own, process] of processes) {
    let at = own;
    while (at !== pid && processes.has(at)) at = processes.get(at).parent;
    if (at === pid) ticks += process.ticks;
  }
  return ticks / TICKS;
}

function entriesOf(folder) {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (error.code === 'ENOENT') return [];
    throw error;
  }
}

/** A process may end while it is being read. */
function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ESRCH') return null;
    throw error;
  }
}
