import { describe, expect, it } from '@jest/globals';
import { EXPORT_LIMITS } from '../../src/limits.ts';
import { describeProblem } from '../../src/routes-file/problem.ts';
import { readRoutesFile } from '../../src/routes-file/written-routes.ts';
import { fileSink } from '../../src/sinks/file.ts';
import { POST_SINK } from '../support/post-sink.ts';

const SINKS = [fileSink, POST_SINK];

function problems(text: string): string[] {
  const read = readRoutesFile(text, SINKS);
  const found = read.ok ? read.warnings : read.problems;
  return found.map((problem) => describeProblem('routes.yaml', problem).replace('routes.yaml:', ''));
}

const ROUTE = (more = ''): string => `routes:
  - name: siem
    tenants: '*'
    format: ocsf
    sink: { type: file, stem: siem }
${more}`;

describe('a file of routes', () => {
  it('is taken without a word where nothing is wrong, in YAML and as JSON', () => {
    expect(problems(ROUTE())).toEqual([]);
    expect(
      problems(
        '{"routes":[{"name":"a","tenants":["acme"],"format":"raw","sink":{"type":"file","stem":"a"}}]}',
      ),
    ).toEqual([]);
  });

  it('shares settings by anchors', () => {
    const text = `routes:
  - { name: a, tenants: [acme], format: ocsf, sink: &sink { type: post, url: 'https://siem.example', token: { env: TOKEN } } }
  - { name: b, tenants: [other], format: ocsf, sink: *sink }
`;
    const read = readRoutesFile(text, SINKS);
    expect(read).toMatchObject({ ok: true, warnings: [] });
  });

  it('tells every problem at once, in the order of the file, with line, column, path and limit', () => {
    const text = `routes:
  - name: Siem
    tenant: '*'
    format: ocfs
    sink:
      type: post
      url: ftp://siem.example
      token: plain
      batchEventsMax: 20000
      tls: { caFil: ca.pem }
  - name: b
    tenants: [acme, Not A Tenant, 7]
    format: ocsf
    time: { auto: { olderThanHours: -1 } }
    sink: { type: fille, stem: b }
    dead_letters: b
`;
    expect(problems(text)).toEqual([
      '2:5: routes[0]: tenants is missing: "*", a list, or {childrenOf: …}; or eachChildOf for a template',
      '2:11: routes[0].name: expected 1 to 63 of a-z, 0-9 and -',
      '3:5: routes[0]: unknown member; did you mean tenants?',
      '4:13: routes[0].format: expected cloudevents, ocsf, ecs, cef or raw; did you mean ocsf?',
      '7:12: routes[0].sink.url: expected an address that begins with http:// or https://',
      '8:14: routes[0].sink.token: expected {env: …} or {file: …}',
      '9:23: routes[0].sink.batchEventsMax: expected at most 10000',
      '10:14: routes[0].sink.tls: unknown member; did you mean caFile?',
      '12:21: routes[1].tenants[1]: expected a tenant',
      '12:35: routes[1].tenants[2]: expected a text; put the number in quotes',
      '14:37: routes[1].time.auto.olderThanHours: expected more than 0',
      '15:19: routes[1].sink.type: expected file or post; did you mean file?',
      '16:5: routes[1]: unknown member; did you mean deadLetters?',
    ]);
  });

  it.each([
    ['nothing', '', ['1:1: empty; expected {routes: …}']],
    ['a list', '- a', ['1:1: expected {routes: …}']],
    ['no routes', 'routes: []', ['1:9: routes: expected at least one route']],
    [
      'another name for routes',
      'rotues: []',
      ['1:1: routes: missing', '1:1: unknown member; did you mean routes?'],
    ],
    ['a route that is a text', 'routes: [siem]', ['1:10: routes[0]: expected {name: …, format: …, sink: …}']],
    [
      'a member that stands twice',
      'routes: []\nroutes: []',
      ['2:1: a member of this name stands there already'],
    ],
    [
      'an open bracket',
      'routes: [',
      ['1:10: indentation that does not fit, or a bracket that is not closed'],
    ],
    ['a tab', 'routes:\n\t- name: a', ['2:1: indentation by a tab; YAML takes spaces only']],
    ['a tag', 'routes: !!js/function x', ['1:9: an unknown tag (!…); none is needed here']],
    ['two documents', 'routes: []\n---\nroutes: []', ['2:1: a second document (---); the file holds one']],
    ['an alias to nothing', 'routes: *none', ['1:9: an alias (*name) without its anchor (&name) before it']],
    ['brackets without end', '['.repeat(100_000), ['nested too deeply']],
    [
      'forty levels',
      `routes: [${'['.repeat(40)}${']'.repeat(40)}]`,
      ['1:1: nested too deeply: more than 32 levels'],
    ],
  ])('that holds %s is refused with its place', (_what, text, expected) => {
    const found = problems(text);
    for (const [i, words] of expected.entries()) expect(found[i]).toContain(words);
    expect(readRoutesFile(text, SINKS).ok).toBe(false);
  });

  it('is bounded: in bytes, in routes, and in what its aliases stand for', () => {
    expect(problems('#'.repeat(EXPORT_LIMITS.routesFileBytesMax + 1))).toEqual([
      `1:1: larger than ${EXPORT_LIMITS.routesFileBytesMax} bytes`,
    ]);
    const many = Array.from({ length: EXPORT_LIMITS.routesWrittenMax + 1 }, () => '- 1').join('\n');
    expect(problems(`routes:\n${many}`)).toEqual([
      `2:1: routes: expected at most ${EXPORT_LIMITS.routesWrittenMax} routes; a template makes many of one`,
    ]);
    const levels = Array.from({ length: 12 }, (_, i) =>
      i === 0 ? 'l0: &l0 [x]' : `l${i}: &l${i} [${Array.from({ length: 10 }, () => `*l${i - 1}`).join(',')}]`,
    );
    const bomb = levels.join('\n');
    const startedMs = performance.now();
    expect(problems(bomb)).toEqual([
      `1:1: more than ${EXPORT_LIMITS.routesAliasesMax} uses of aliases (*name)`,
    ]);
    const wide = `l0: &l0 [${'1,'.repeat(100_000)}]\nl1: [${Array.from({ length: 20 }, () => '*l0').join(',')}]`;
    expect(problems(wide)).toEqual([`1:1: more than ${EXPORT_LIMITS.routesValuesMax} values`]);
    expect(performance.now() - startedMs).toBeLessThan(10_000);
  });

  it('does not list more problems than a person reads', () => {
    const many = Array.from({ length: 500 }, (_, i) => `- n${i}`).join('\n');
    const found = problems(`routes:\n${many}`);
    expect(found).toHaveLength(EXPORT_LIMITS.routesProblemsMax + 1);
    expect(found.at(-1)).toContain('and 400 more');
  });

  it('never repeats what stands in it: a secret that was written down by mistake travels no further', () => {
    const secret = 'hunter2';
    const places = [
      `token: ${secret}`,
      `token: *${secret}`,
      `token: !${secret} x`,
      `token: {${secret}}`,
      `token: { env: ${secret}-x }`,
      `token: { value: ${secret} }`,
      `token:${secret}`,
      `token: "\\${secret}`,
      `token: [${secret}]`,
      `headers: { a: { ${secret}: 1 } }`,
      `headers: { a: ${secret} }`,
      `${secret}: 1`,
      `compression: ${secret}`,
      `url: https://user:${secret}@siem.example`,
      `url: ${secret}`,
      `\t${secret}`,
    ];
    for (const place of places) {
      const text = `routes:
  - name: siem
    tenants: '*'
    format: ocsf
    sink:
      type: post
      ${place}
`;
      const found = problems(text);
      expect(found.length).toBeGreaterThan(0);
      expect(found.join('\n')).not.toContain(secret);
    }
  });

  it('refuses names and files that two routes would share, with the line of the first', () => {
    expect(
      problems(`routes:
  - { name: a, tenants: '*', format: ocsf, sink: { type: file, stem: a } }
  - { name: a, tenants: '*', format: ocsf, sink: { type: file, stem: b } }
  - { name: c, tenants: '*', format: ocsf, sink: { type: file, stem: a }, deadLetters: dead-letters-a }
`),
    ).toEqual([
      '3:5: routes[1]: the name a is taken by the route of line 2',
      '3:5: routes[1]: the file dead-letters-a.ndjson is taken by the route of line 2',
      '4:5: routes[2]: the file a.ndjson is taken by the route of line 2',
      '4:5: routes[2]: the file dead-letters-a.ndjson is taken by the route of line 2',
    ]);
  });
});

describe('a template', () => {
  const template = (name: string, stem: string, provider = 'msp') =>
    `  - { name: '${name}', eachChildOf: ${provider}, format: ocsf, sink: { type: file, stem: '${stem}' } }\n`;

  it('is checked before there is any customer', () => {
    expect(problems(`routes:\n${template('Siem-{tenant}', '{tenant}')}`)).toEqual([
      '2:13: routes[0].name: expected 1 to 63 of a-z, 0-9 and -',
    ]);
    expect(problems(`routes:\n${template('siem-{tenant}', '../{tenant}')}`)).toEqual([
      '2:88: routes[0].sink.stem: expected a name of a-z, 0-9, - and _',
    ]);
  });

  it('says where its placeholder needs quotes, which YAML takes for braces of its own', () => {
    const stem = (text: string) =>
      problems(`routes:\n${template('{tenant}', '{tenant}').replace(/stem: '.*?'/, text)}`);
    expect(stem('stem: {tenant}')).toEqual([
      expect.stringContaining('routes[0].sink.stem: expected a text; put {tenant} into quotes'),
    ]);
    expect(stem('stem: a-{tenant}')[0]).toContain('needs quotes around it');
  });

  it('must tell its customers apart, in its name and in its files', () => {
    expect(problems(`routes:\n${template('siem', '{tenant}')}`)).toEqual([
      '2:5: routes[0]: every customer would have the name siem: put {tenant} into it',
      '2:5: routes[0]: every customer would have the file dead-letters-siem.ndjson: put {tenant} into it',
    ]);
    expect(problems(`routes:\n${template('{tenant}', 'siem')}`)).toEqual([
      '2:5: routes[0]: every customer would have the file siem.ndjson: put {tenant} into it',
    ]);
  });

  it('must differ from another one of the same provider, and need not of another provider', () => {
    const first = template('{tenant}', '{tenant}');
    expect(problems(`routes:\n${first}${template('{tenant}', 'b-{tenant}')}`)).toEqual([
      '3:5: routes[1]: the name {tenant} is taken by the route of line 2',
      '3:5: routes[1]: the file dead-letters-{tenant}.ndjson is taken by the route of line 2',
    ]);
    const turned = template('a-{tenant}', 'a-{tenant}') + template('{tenant}-a', '{tenant}-a');
    expect(problems(`routes:\n${turned}`)).toEqual([]);
    expect(problems(`routes:\n${first}${template('{tenant}', '{tenant}', 'other')}`)).toEqual([]);
  });

  it('stands instead of tenants', () => {
    expect(problems(ROUTE('    eachChildOf: msp\n'))).toEqual([
      '6:5: routes[0].eachChildOf: stands instead of tenants, not beside it',
    ]);
  });

  it('is what its placeholder is for: elsewhere it is a warning', () => {
    const text = ROUTE().replace(
      '{ type: file, stem: siem }',
      "{ type: post, url: 'https://{tenant}.siem.example', token: { file: '/run/{tenant}' } }",
    );
    const read = readRoutesFile(text, SINKS);
    expect(read.ok).toBe(true);
    expect(problems(text)).toEqual([
      expect.stringContaining('routes[0].sink.url: {tenant} is filled in only where'),
      expect.stringContaining('routes[0].sink.token.file: {tenant} is filled in only where'),
    ]);
  });
});
