import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // All processors: nobody works on the machine meanwhile.
    maxWorkers: '100%',
    projects: [
      {
        test: {
          name: 'workers',
          environment: 'node',
          include: ['workers/**/*.test.ts'],
          testTimeout: 30_000,
          isolate: false,
        },
      },
      { test: { name: 'src', environment: 'jsdom', include: ['src/**/*.test.{ts,tsx}'] } },
    ],
  },
});
