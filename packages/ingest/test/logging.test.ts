import { describe, expect, it } from '@jest/globals';
import { createLogger } from '../src/logging.ts';
import { Secret } from '../src/secret.ts';

function lines(write: (logger: ReturnType<typeof createLogger>) => void): { [member: string]: unknown }[] {
  const written: string[] = [];
  const destination = { write: (line: string) => void written.push(line) };
  write(createLogger({ level: 'info', destination }));
  return written.map((line) => JSON.parse(line) as { [member: string]: unknown });
}

describe('a line of the log', () => {
  it('is an event with a time, a level and ids', () => {
    const [line] = lines((logger) => logger.info({ device: 'd1', size: 7 }, 'append.settled'));
    expect(line).toEqual({
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:]+\.\d{3}Z$/),
      event: 'append.settled',
      device: 'd1',
      size: 7,
    });
  });

  it('never holds a secret or a payload, though somebody passes one (INV-18)', () => {
    const marker = 'do-not-show';
    const written = lines((logger) => {
      logger.info({ token: marker, authorization: marker, body: marker, leaf: marker }, 'a.done');
      logger.info({ request: { token: marker, headers: { a: marker }, body: marker } }, 'b.done');
      logger.info({ adminToken: new Secret(marker), nested: { key: new Secret(marker) } }, 'c.done');
      logger.info({ req: { url: marker }, res: { body: marker } }, 'd.done');
      const error = Object.assign(new Error('the query failed'), { parameters: [marker], code: 'E1' });
      logger.error({ err: new Error('outer', { cause: error }) }, 'e.failed');
    });
    expect(written).toHaveLength(5);
    expect(JSON.stringify(written)).not.toContain(marker);
    expect(written[4]).toMatchObject({ err: { message: 'outer', cause: { code: 'E1' } } });
  });
});
