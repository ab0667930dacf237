/** Two rings: `npm test` runs `*.test.ts`, `npm run test:all` runs `*.second.test.ts`. */
const ring = process.env.TACHOGRAPH_RING ?? 'first';

export default {
  rootDir: import.meta.dirname ?? new URL('.', import.meta.url).pathname,
  roots: ['<rootDir>/packages', '<rootDir>/test'],
  testEnvironment: 'node',
  // Packages are tested from their sources: no stale build can pass a test.
  testEnvironmentOptions: { customExportConditions: ['tachograph-source', 'node', 'node-addons'] },
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: { parser: { syntax: 'typescript' }, target: 'es2023' },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
  testMatch: ring === 'second' ? ['**/*.second.test.ts'] : ['**/*.test.ts'],
  testPathIgnorePatterns: [
    '/node_modules/',
    '/dist/',
    ...(ring === 'second' ? [] : ['\\.second\\.test\\.ts$']),
  ],
  testTimeout: 30_000,
};
