import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** The text of a page, by its path from the project's root. */
export function page(path: string): string {
  return readFileSync(`${ROOT}${path}`, 'utf8');
}

/** Every file that belongs to the project and ends in one of `endings`. */
export function projectFiles(...endings: readonly string[]): string[] {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  return listed.split('\n').filter((path) => endings.some((ending) => path.endsWith(ending)));
}

/** The cells of every table row on a page whose first cell passes `isRow`. */
export function tableRows(text: string, isRow: (cell: string) => boolean): string[][] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) =>
      line
        .slice(1, -1)
        .split(' | ')
        .map((cell) => cell.trim().replaceAll('`', '')),
    )
    .filter(([first]) => first !== undefined && isRow(first));
}
