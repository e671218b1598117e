import { defineConfig } from 'vitest/config';
import { vitestConfigurationPlugin } from './scripts/build/configuration.mjs';

export default defineConfig({
  plugins: [vitestConfigurationPlugin(import.meta.dirname)],
  test: {
    include: ['test/**/*.test.ts'],
    environment: 'node',
    pool: 'forks',
    maxWorkers: 2,
    restoreMocks: true,
    // For a machine that does much else: scenes with real processes take many times as long there.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    // The SDK wants a region and credentials even where nothing checks them.
    env: { AWS_REGION: 'eu-west-1', AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' },
  },
});
