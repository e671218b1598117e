/** Compiled into each bundle, and into the tests, by scripts/build/configuration.mjs. */
declare module 'virtual:switchback-config' {
  type Configuration = import('../lib/core/config/configuration.ts').Configuration;
  /** What lib/apps/configure/compile.ts made of the configuration file: validated, complete. */
  export const configuration: Configuration;
}
