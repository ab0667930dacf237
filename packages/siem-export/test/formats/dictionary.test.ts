import { describe, expect, it } from '@jest/globals';
import { DICTIONARY } from '../../src/formats/dictionary.ts';
import { FORMATS, type FormatName } from '../../src/formats/registry.ts';
import { readCef } from '../support/cef-reader.ts';
import { EXAMPLES, EXPORTED } from '../support/examples.ts';
import { leavesOf } from '../support/json-paths.ts';

type Column = Exclude<FormatName, 'raw'>;

const lines = (format: FormatName): string[] =>
  EXAMPLES.map(([, event]) => {
    const formatted = FORMATS[format].format(event, { exportedTime: EXPORTED });
    if (formatted.kind !== 'line') throw new Error(formatted.reason);
    return formatted.text;
  });

const documented = (column: Column): string[] => [...new Set(DICTIONARY.flatMap((row) => row[column] ?? []))];

/** What a name of the dictionary stands for: itself, or with `.*` whatever is below. */
function isNamed(path: string, names: readonly string[]): boolean {
  return names.some((name) => name === path || (name.endsWith('.*') && path.startsWith(name.slice(0, -1))));
}

const HEAD_OF_CEF = new Set(['CEF:0', 'device vendor', 'device product', 'signature id', 'name', 'severity']);

describe('the field dictionary', () => {
  it.each(['ecs', 'ocsf'] as const)('has every field that %s writes, and none that it does not', (format) => {
    const names = documented(format);
    const written = new Set(
      lines(format).flatMap((line) => leavesOf(JSON.parse(line)).map(({ path }) => path)),
    );
    expect([...written].filter((path) => !isNamed(path, names))).toEqual([]);
    expect(names.filter((name) => ![...written].some((path) => isNamed(path, [name])))).toEqual([]);
  });

  it('has every key that cef writes, and none that it does not', () => {
    const names = documented('cef').filter((name) => !HEAD_OF_CEF.has(name));
    const written = new Set(
      lines('cef')
        .flatMap((line) => Object.keys(readCef(line).extension))
        .filter((key) => !key.endsWith('Label')),
    );
    expect([...written].toSorted()).toEqual(names.toSorted());
  });

  it('has every attribute that cloudevents writes', () => {
    const names = new Set(documented('cloudevents').map((name) => name.split('.')[0]));
    const written = lines('cloudevents').flatMap((line) => Object.keys(JSON.parse(line) as object));
    expect([...new Set(written)].filter((name) => !names.has(name))).toEqual([]);
  });

  it.each(['cloudevents', 'ecs', 'ocsf', 'cef'] as const)(
    'finds the times of a late event in %s',
    (format) => {
      const facts = [
        'When it occurred',
        'When ingest received',
        'When the exporter',
        'Lateness',
        'It is not older',
      ];
      for (const fact of [...facts, 'It is not younger', 'How the estimate']) {
        expect([fact, DICTIONARY.find((row) => row.fact.startsWith(fact))?.[format]]).not.toContain(null);
      }
    },
  );
});
