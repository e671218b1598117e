/** An event takes at most 1 KB as it is stored: also of as many services as a migration may have. */
import { describe, expect, it } from 'vitest';
import type { MigrationEvent } from '../../../events/migration.ts';
import { storedText } from '../../../lib/aws/eventStore/stored.ts';
import { eventBytesMax } from '../../../lib/core/eventStore/limits.ts';
import { componentsMax, decideMigration, type MigrationCommand } from '../../../lib/core/migration/decide.ts';
import { evolveMigration, initialMigration, type MigrationState } from '../../../lib/core/migration/state.ts';
import { started } from '../rollout/facts.ts';
import { given } from '../rollout/given.ts';

const now = 1_795_260_577_582;
const syllables = ['ka', 'ri', 'to', 'mu', 'ne', 'sol', 'ven', 'dra', 'pix', 'our', 'eck', 'ilt', 'zha'];
/** Names and revisions that have little in common, so that they hardly compress. */
const word = (seed: number) =>
  Array.from({ length: 9 }, (_, at) => syllables[(seed * (at + 3) + at * at * 7) % syllables.length]).join(
    '',
  );
const components = (count: number) =>
  Array.from({ length: count }, (_, at) => ({
    service: `${word(at)}-${at}`.slice(-32),
    revision: `arn:aws:ecs:eu-central-1:123456789012:task-definition/mistersmith-${word(at)}:${at * 37}`,
    dependsOn: Array.from({ length: Math.min(at, 3) }, (__, back) =>
      `${word(at - back - 1)}-${at - back - 1}`.slice(-32),
    ),
    oneWay: false,
  }));

const start = (count: number): MigrationCommand => ({
  ...{ type: 'StartMigration', migrationId: 'm'.repeat(24), components: components(count) },
  ...{ takeBack: 'everything', requestedBy: 'anna@mistersmith.example', now },
});

function told(state: MigrationState, command: MigrationCommand): readonly MigrationEvent[] {
  const decision = decideMigration(state, command);
  return decision.outcome === 'refused' ? [] : decision.events;
}

describe.each([3, 10, componentsMax])('a migration of %d services', (count) => {
  const begun = told(initialMigration, start(count));
  const state = begun.reduce(evolveMigration, initialMigration);
  const names = components(count).map(({ service }) => service);
  const back = told(state, {
    ...{ type: 'TakeBack', failed: [names[0] as string], moving: names, cannot: {}, whom: 'everything' },
    ...{ reason: `${names[0]}: ${'it hurts, said somebody at length. '.repeat(20)}`, by: 'switchback', now },
  });

  it('is told in events that can be stored', () => {
    expect([...begun, ...back].map(({ type }) => type)).toEqual([
      'MigrationStarted',
      'MigrationRollbackInitiated',
    ]);
    for (const event of [...begun, ...back]) {
      expect(storedText(JSON.stringify(event)).bytes).toBeLessThanOrEqual(eventBytesMax);
    }
  });
});

it('a migration of more services than that is refused', () => {
  expect(decideMigration(initialMigration, start(componentsMax + 1))).toMatchObject({
    ...{ outcome: 'refused', reason: 'too-many' },
    sentence: '21 services are more than the 20 that move together: split the migration.',
  });
});

it('a service that waits for as many as may be is told so in an event that can be stored', () => {
  const after = components(componentsMax).map(({ service }) => service);
  const reason = Array.from({ length: 300 }, (_, at) =>
    String.fromCodePoint(0x4e00 + ((at * 7919) % 20_000)),
  );
  const command = { type: 'RollBack', trigger: 'migration', by: 'switchback', now } as const;
  const { decision } = given(started()).when({ ...command, reason: reason.join(''), after });
  const [event] = decision.outcome === 'accepted' ? decision.events : [];
  expect(event).toMatchObject({ type: 'RollbackInitiated', after: after.slice(-10) });
  expect(storedText(JSON.stringify(event)).bytes).toBeLessThanOrEqual(eventBytesMax);
});
