import { execFile } from 'node:child_process';

/** The checksum database may be out of reach; the sums are in `go.sum`. */
const GO_ENV = { GOFLAGS: '-mod=mod', GOSUMDB: 'off' };

/**
 * Runs the Go program in `folder` and gives what it printed.
 * @throws with all that it printed where its exit code is not 0, and with the command to install Go where there is none
 */
export function runGo(
  folder: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const options = { cwd: folder, env: { ...process.env, ...GO_ENV, ...env } };
  return new Promise((resolve, reject) => {
    execFile('go', ['run', '.', ...args], options, (cause, stdout, stderr) => {
      if (cause === null) resolve(stdout);
      else if (cause.code === 'ENOENT') {
        reject(new Error('Go 1.24 or later is missing: apt-get install golang-go', { cause }));
      } else reject(new Error(`go run ${args.join(' ')}:\n${stdout}${stderr}`, { cause }));
    });
  });
}
