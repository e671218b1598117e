/** What people are told of a migration: who goes back and why, what waits for them, how it ended. */
import type { MigrationEvent } from '../../../events/migration.ts';
import type { Notice } from './notice.ts';

type Told = Pick<Notice, 'subject' | 'sentence' | 'urgency'>;

/** @returns null when nobody is told of this event: its services tell of themselves */
export function migrationNotice(event: MigrationEvent): Told | null {
  const { migrationId } = event;
  switch (event.type) {
    case 'MigrationRollbackInitiated':
      return {
        subject: `${migrationId}: rolling back`,
        sentence: `${event.blastRadius}. In this order: ${event.order.join(', ')}. Why: ${event.reason}`,
        urgency: 'page',
      };
    case 'MigrationHeld':
      return { subject: `${migrationId}: held`, sentence: event.reason, urgency: 'page' };
    case 'ComponentRolledBack':
      if (event.differences.length === 0) return null;
      return {
        subject: `${migrationId}: ${event.component} is not as it was`.slice(0, 100),
        sentence: event.differences.join('; '),
        urgency: 'page',
      };
    case 'MigrationCompleted':
      return {
        subject: `${migrationId}: ${event.outcome}`,
        sentence: sentences[event.outcome],
        urgency: 'tell',
      };
    default:
      return null;
  }
}

const sentences = {
  migrated: 'Every service is on its new version.',
  'rolled-back': 'Every service is back on its old version.',
  'partly-rolled-back': 'Some services went back, the others stay on their new version.',
  held: 'A person froze it as it is.',
} as const;
