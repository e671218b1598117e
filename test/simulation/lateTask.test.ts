/** A task that was slow writes after its rollout was taken back and another one has begun. */
import { expect, it } from 'vitest';
import type { Command } from '../../lib/core/rollout/commands.ts';
import { known, record } from '../../lib/flows/record.ts';
import { open } from '../../lib/flows/rolloutTask.ts';
import { SimEventStore } from '../../lib/sim/eventStore.ts';
import { at, planFor, start, v3 } from '../core/rollout/facts.ts';

const service = 'orchestrator';
const now = at(0);
const second = { ...planFor({ kind: 'canary' }, { rolloutId: 'ro-2', revision: v3 }), createdAt: now };

it('confirms nothing of the rollout that came after its own', async () => {
  const store = new SimEventStore();
  const say = (command: Command) =>
    record({ store }, service, command, { correlationId: 'c', actor: 'test' });
  const first = start();
  await store.keepPlan(`service/${service}`, 'ro-1', first.plan);
  await say(first);
  const slow = await open({ store }, { service, rolloutId: 'ro-1', correlationId: 'c-1' });

  await say({ type: 'RollBack', trigger: 'operator', reason: 'no', by: 'ada', now });
  await say({ type: 'ConfirmShift', weight: 0, now });
  await say({ type: 'ConfirmRollback', differences: [], now });
  await say(start({ plan: second }));

  const late = { type: 'ConfirmPrepared', tasks: 3, now } as const;
  const answer = await record({ store }, service, late, slow.cause, { from: slow.from });
  expect(answer).toMatchObject({ outcome: 'refused', reason: 'other-rollout' });
  const { state } = await known({ store }, service);
  expect(state.rollout).toMatchObject({ rolloutId: 'ro-2', phase: 'preparing', prepared: false });
});
