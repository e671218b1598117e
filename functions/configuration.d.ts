/** Compiled into each bundle, and into the tests, by scripts/build/configuration.mjs. */
declare module 'virtual:switchback-config' {
  /** The JSON that lib/apps/configure/compile.ts made of the configuration file, validated. */
  export const configuration: unknown;
}
