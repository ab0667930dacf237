import { describe, expect, it } from '@jest/globals';
import { CliFailure } from '../src/cli-failure.ts';
import { loadSettings } from '../src/settings.ts';

function failureOf(env: NodeJS.ProcessEnv): CliFailure {
  try {
    loadSettings(env);
  } catch (error) {
    if (error instanceof CliFailure) return error;
    throw error;
  }
  throw new Error('the settings were accepted');
}

describe('the settings of a server', () => {
  it('need nothing: every one has a value that works on one machine', () => {
    const { config, demo } = loadSettings({});
    expect(config).toMatchObject({
      port: 8787,
      host: '127.0.0.1',
      dataDir: './data',
      authority: 'localhost',
    });
    expect(demo).toBe('auto');
  });

  it('are refused with every problem at once', () => {
    const { mend } = failureOf({ PORT: '70000', AUTHORITY: 'no spaces', DEMO: 'yes', LOG_LEVEL: 'loud' });
    expect(mend.map((line) => line.split(':')[0])).toEqual(['PORT', 'AUTHORITY', 'LOG_LEVEL', 'DEMO']);
  });

  it('are refused without repeating a secret', () => {
    const failure = failureOf({ ADMIN_TOKEN: 'hunter2' });
    expect(`${failure.message}${failure.mend.join('')}`).not.toContain('hunter2');
  });
});
