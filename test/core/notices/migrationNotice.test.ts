import { expect, it } from 'vitest';
import { migrationNotice } from '../../../lib/core/notices/migrationNotice.ts';

const of = { at: 1_000, migrationId: 'smith' };

it('says who goes back because of whom, before it happens', () => {
  expect(
    migrationNotice({
      ...({ ...of, type: 'MigrationRollbackInitiated', order: ['discovery', 'agent'] } as const),
      ...{ blastRadius: 'agent goes back, so discovery goes first', reason: 'it loses messages', by: 'ada' },
    }),
  ).toEqual({
    subject: 'smith: rolling back',
    sentence:
      'agent goes back, so discovery goes first. In this order: discovery, agent. Why: it loses messages',
    urgency: 'page',
  });
});

it('asks a person where somebody cannot go back, and tells of what is not as it was', () => {
  const reason = 'agent cannot go back: it is past a step that nothing undoes. Roll forward or freeze.';
  expect(migrationNotice({ ...of, type: 'MigrationHeld', component: 'agent', reason })).toMatchObject({
    ...{ urgency: 'page', sentence: reason },
  });
  const back = { ...of, type: 'ComponentRolledBack', component: 'agent' } as const;
  expect(migrationNotice({ ...back, differences: [] })).toBeNull();
  expect(migrationNotice({ ...back, differences: ['1 tasks are left over'] })).toMatchObject({
    ...{ urgency: 'page', sentence: '1 tasks are left over' },
  });
});

it('tells how it ended, and leaves the rest to its services', () => {
  expect(migrationNotice({ ...of, type: 'MigrationCompleted', outcome: 'partly-rolled-back' })).toMatchObject(
    {
      ...{ subject: 'smith: partly-rolled-back', urgency: 'tell' },
    },
  );
  const moved = { ...of, type: 'ComponentMigrated', component: 'agent', rolloutId: 'smith-agent-1' } as const;
  expect(migrationNotice(moved)).toBeNull();
});
