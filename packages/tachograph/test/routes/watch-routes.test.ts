import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, it } from '@jest/globals';
import { eventually } from '../../../../test/support/eventually.ts';
import { watchRoutes } from '../../src/routes/watch-routes.ts';
import { tempFolders } from '../support/temp-folder.ts';

const folder = tempFolders();

describe('watching the file of routes', () => {
  let stop: () => void = () => undefined;
  afterEach(() => stop());

  const watching = (file: string): (() => number) => {
    let looks = 0;
    stop = watchRoutes(file, () => (looks += 1));
    return () => looks;
  };
  const looked = (looks: () => number, more: number, withinMs: number): Promise<true> =>
    eventually(`${more} looks`, () => (looks() >= more ? true : null), withinMs);

  it('looks soon after an editor has put a new file in the place of the old one', async () => {
    const file = join(folder(), 'routes.yaml');
    writeFileSync(file, 'old');
    const looks = watching(file);
    writeFileSync(`${file}.new`, 'new');
    renameSync(`${file}.new`, file);
    // Before the first poll, so it is the notice of the system that was heard.
    await looked(looks, 1, 1_500);
  });

  it('looks every two seconds where nothing gives notice, as of a folder that comes later', async () => {
    const dir = join(folder(), 'later');
    const looks = watching(join(dir, 'routes.yaml'));
    mkdirSync(dir);
    await looked(looks, 2, 10_000);
  });
});
