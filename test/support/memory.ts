import { readFile, writeFile } from 'node:fs/promises';

/** Resident memory of a process in bytes: now, and its peak since {@link forgetPeak}. Linux only. */
export async function residentBytes(pid: number): Promise<{ readonly now: number; readonly peak: number }> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return { now: field(status, 'VmRSS'), peak: field(status, 'VmHWM') };
}

/** Lets the peak start anew at what is resident now (proc(5), `clear_refs`: 5). */
export async function forgetPeak(pid: number): Promise<void> {
  await writeFile(`/proc/${pid}/clear_refs`, '5');
}

function field(status: string, name: string): number {
  const kib = new RegExp(`^${name}:\\s+([0-9]+) kB$`, 'm').exec(status)?.[1];
  if (kib === undefined) throw new Error(`/proc has no ${name}`);
  return Number(kib) * 1024;
}
