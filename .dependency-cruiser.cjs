// Who may import whom: the house's plan as rules. `npm run check` runs them, and
// test/tidy.test.ts proves that each rule catches a planted violation.
const worlds = 'aws|sim|nats|postgres';

module.exports = {
  forbidden: [
    {
      name: 'events-are-words',
      severity: 'error',
      comment: 'events import the schema library and each other, nothing else',
      from: { path: '^events/' },
      to: { pathNot: '^(events/|node_modules/zod/)' },
    },
    {
      name: 'core-is-pure',
      severity: 'error',
      comment: 'what decides sees only words and other decisions',
      from: { path: '^lib/core/' },
      to: { pathNot: '^(lib/core/|events/|node_modules/zod/)' },
    },
    {
      name: 'ports-name-only-the-domain',
      severity: 'error',
      from: { path: '^lib/ports\\.ts$' },
      to: { pathNot: '^(lib/core/|events/)' },
    },
    {
      name: 'flows-see-ports-not-worlds',
      severity: 'error',
      from: { path: '^lib/flows/' },
      to: { pathNot: '^(lib/(core|flows)/|lib/ports\\.ts$|events/)' },
    },
    {
      name: 'worlds-do-not-meet',
      severity: 'error',
      from: { path: `^lib/(${worlds})/` },
      to: { path: `^lib/(${worlds})/`, pathNot: '^lib/$1/' },
    },
    {
      name: 'worlds-do-not-drive',
      severity: 'error',
      from: { path: `^lib/(${worlds})/` },
      to: { path: '^(lib/(flows|apps|local|asl)|functions)/' },
    },
    {
      name: 'the-local-cloud-knows-nothing-of-us',
      severity: 'error',
      from: { path: '^lib/local/' },
      to: { path: '^(lib|events|functions)/', pathNot: '^lib/(local|asl)/' },
    },
    {
      name: 'the-interpreter-knows-nothing-of-us',
      severity: 'error',
      from: { path: '^lib/asl/' },
      to: { path: '^(lib|events|functions)/', pathNot: '^lib/asl/' },
    },
    {
      name: 'functions-do-not-reach-the-workbench',
      severity: 'error',
      comment: 'what ships to AWS never carries the local cloud, the interpreter, the simulator or an app',
      from: { path: '^functions/' },
      to: { path: '^lib/(local|asl|sim|apps)/', reachable: true },
    },
    {
      name: 'fire-exit-skips-the-event-store',
      severity: 'error',
      comment: 'however long the chain, the emergency fallback never reaches the event store',
      from: { path: '^functions/fall-back/' },
      to: { path: '^lib/(aws|sim)/eventStore', reachable: true },
    },
    {
      name: 'nothing-needs-tests',
      severity: 'error',
      from: { pathNot: '^(test|bench)/' },
      to: { path: '^(test|bench)/' },
    },
    {
      name: 'no-dangling',
      severity: 'error',
      comment: 'the configuration is no file: the build makes it',
      from: {},
      to: { couldNotResolve: true, pathNot: '^virtual:switchback-config$' },
    },
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    // Packages that are ES modules only say so in their exports.
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
};
