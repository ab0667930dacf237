import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../../../../test/support/eventually.ts';
import { runCli } from '../../src/run-cli.ts';
import { fakeIo } from '../support/fake-io.ts';
import { start, type Running } from '../support/running.ts';
import { tempFolder } from '../support/temp-folder.ts';

const TOKEN = 'an-administrator-token-for-tests';

const FEEDS = `routes:
  - name: feed-{tenant}
    eachChildOf: acme
    format: cloudevents
    sink: { type: file, stem: 'feed-{tenant}' }
`;
const OWN = `  - { name: own, tenants: [acme], format: cloudevents, sink: { type: file, stem: own } }\n`;

/** As editors do it: nobody ever sees half a file. */
function replace(file: string, text: string): void {
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}

async function makeTenant(url: string, id: string, parent?: string): Promise<void> {
  const answer = await fetch(`${url}/admin/v1/tenants`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify({ id, name: id, ...(parent === undefined ? {} : { parent }) }),
  });
  expect(answer.status).toBe(201);
}

/** The actions of a feed, once there are any. */
function actionsIn(dataDir: string, stem: string): Promise<string[]> {
  return eventually(`a line in ${stem}.ndjson`, () => {
    const file = join(dataDir, 'export', `${stem}.ndjson`);
    const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : [];
    return lines.length === 0 ? null : lines.map((line) => (JSON.parse(line) as { type: string }).type);
  });
}

describe('a server with a file of routes', () => {
  const folder = tempFolder();
  const dataDir = folder.path;
  const file = join(dataDir, 'routes.yaml');
  const env = { DATA_DIR: dataDir, PORT: '0', ADMIN_TOKEN: TOKEN, DEMO: 'off' };
  let server: Running;

  beforeAll(async () => {
    replace(file, FEEDS);
    server = await start(['serve'], env, /Stop with Ctrl-C/);
  });
  afterAll(async () => {
    await server?.end('SIGKILL');
    folder.remove();
  });

  const metric = async (name: string): Promise<number> => {
    const text = await (await fetch(`${server.url()}/metrics`)).text();
    return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
  };
  const untilMetric = (name: string, value: number): Promise<true> =>
    eventually(`${name} is ${value}`, async () => ((await metric(name)) === value ? true : null));
  const command = async (...args: string[]): Promise<{ code: number; printed: string }> => {
    const io = fakeIo(env);
    const code = await runCli(args, io);
    return { code, printed: io.printed() + io.complained() };
  };

  it('gives each customer that is made while it runs a feed of its own, and none but its own', async () => {
    expect(await metric('tachograph_export_routes')).toBe(0);
    await makeTenant(server.url(), 'acme');
    await makeTenant(server.url(), 'northwind', 'acme');
    expect(await actionsIn(dataDir, 'feed-northwind')).toEqual(['tenant.created']);
    await makeTenant(server.url(), 'contoso', 'acme');
    expect(await actionsIn(dataDir, 'feed-contoso')).toEqual(['tenant.created']);
    expect(await actionsIn(dataDir, 'feed-northwind')).toEqual(['tenant.created']);
    expect(await metric('tachograph_export_routes')).toBe(2);
  });

  it('shows what goes where, and whom no route is for', async () => {
    const { code, printed } = await command('export', 'plan');
    expect(code).toBe(0);
    expect(printed).toMatch(/feed-contoso +contoso +all +cloudevents +occurred +file feed-contoso\.ndjson/);
    expect(printed).toContain('! No route is for acme: their events stay in the log.\n');
    const json = await command('export', 'plan', '--json');
    expect(JSON.parse(json.printed)).toMatchObject({
      file,
      routes: [{ name: 'feed-contoso', tenants: ['contoso'] }, { name: 'feed-northwind' }],
      warnings: [],
      uncovered: ['acme'],
    });
  });

  it('goes on with its routes while the file has problems, and says so where people look', async () => {
    replace(file, `${FEEDS}${OWN.replace('cloudevents', 'cloudevent')}`);
    await untilMetric('tachograph_export_routes_file_valid', 0);
    expect(server.output()).toContain('"event":"routes.refused"');
    const problem = `${file}:6:43: routes[1].format: expected cloudevents, ocsf, ecs, cef or raw; did you mean cloudevents?`;
    expect(server.output()).toContain(problem);
    // By the file before: neither a feed nor what new customers are promised ends with a mistake in the new one.
    await makeTenant(server.url(), 'fabrikam', 'acme');
    expect(await actionsIn(dataDir, 'feed-fabrikam')).toEqual(['tenant.created']);
    for (const args of [['export', 'plan'], ['doctor']]) {
      const { code, printed } = await command(...args);
      expect(code).toBe(1);
      expect(printed).toContain(problem);
    }
  });

  it('takes the mended file up on SIGHUP, and goes on', async () => {
    replace(file, `${FEEDS}${OWN}`);
    process.kill(server.pid, 'SIGHUP');
    await untilMetric('tachograph_export_routes', 4);
    expect(await metric('tachograph_export_routes_file_valid')).toBe(1);
    expect(await actionsIn(dataDir, 'own')).toEqual(['tenant.created']);
    // Restarted routes go on where they stood: nothing is there twice.
    expect(await actionsIn(dataDir, 'feed-northwind')).toEqual(['tenant.created']);
    const { code, printed } = await command('doctor');
    expect(printed).toContain(`routes         4 from ${file}`);
    expect(printed).toContain('4 of 4 can be reached');
    expect(code).toBe(0);
  });

  it('ends a route that is taken out, and lets one that comes back go on where it stood', async () => {
    replace(file, FEEDS);
    await untilMetric('tachograph_export_routes', 3);
    replace(file, `${FEEDS}${OWN}`);
    await untilMetric('tachograph_export_routes', 4);
    await eventually('the route has caught up', async () => {
      const text = await (await fetch(`${server.url()}/metrics`)).text();
      const lags = [...text.matchAll(/^tachograph_export_lag_records\{route="own",.*\} (\d+)$/gm)];
      return lags.length > 0 && lags.every(([, lag]) => lag === '0') ? true : null;
    });
    expect(await actionsIn(dataDir, 'own')).toEqual(['tenant.created']);
  });

  it('does not start with a file that has problems, and names each', async () => {
    expect(await server.end('SIGTERM')).toBe(0);
    replace(file, 'routes:\n  - name: a\n');
    const refused = await start(['serve'], env);
    expect(await refused.ended).toBe(1);
    expect(refused.output()).toContain(`${file}:2:5: routes[0].format: missing; expected cloudevents`);
    expect(refused.output()).not.toContain('    at ');
    const named = await start(['serve'], { ...env, ROUTES_FILE: join(dataDir, 'none.yaml') });
    expect(await named.ended).toBe(1);
    expect(named.output()).toContain('none.yaml: there is no such file');
  });
});

describe('the exporter alone', () => {
  const folder = tempFolder();
  const env = { DATA_DIR: folder.path, PORT: '0', ADMIN_TOKEN: TOKEN };
  const running: Running[] = [];
  const run = async (args: string[], ready: RegExp): Promise<Running> => {
    const process = await start(args, env, ready);
    running.push(process);
    return process;
  };
  afterEach(async () => {
    for (const process of running) await process.end('SIGKILL');
    folder.remove();
  });

  it('sees the customers that another process makes in the registry they share, also one that is made later', async () => {
    expect(await (await start(['keys', 'create'], env)).ended).toBe(0);
    replace(join(folder.path, 'routes.yaml'), FEEDS);
    await run(['export'], /Exporting to/);
    const control = await run(['control'], /Serving the control API/);
    await makeTenant(control.url(), 'acme');
    await makeTenant(control.url(), 'northwind', 'acme');
    expect(await actionsIn(folder.path, 'feed-northwind')).toEqual(['tenant.created']);
  });
});
