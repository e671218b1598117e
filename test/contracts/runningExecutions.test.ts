/** Whether an execution runs, asked for many rollouts in one pass. */
import { describe, expect, it } from 'vitest';
import { runningExecutions } from '../../lib/aws/machines.ts';
import { client, clock, create, machineArn, start, useDesk, waiting } from './local/stepFunctionsDesk.ts';

useDesk();

/** The listings that are asked for from now on. */
function listings(): string[] {
  const made: string[] = [];
  client.middlewareStack.add(
    (next, { commandName }) =>
      (args) => {
        if (commandName === 'ListExecutionsCommand') made.push(commandName);
        return next(args);
      },
    { step: 'initialize' },
  );
  return made;
}

const pass = () => runningExecutions(client, { rollout: `${machineArn}:live` });

describe('the executions that run, in one pass', () => {
  it('are listed once for all who are among them', async () => {
    await create(waiting);
    for (const name of ['r-1', 'r-2-part-2', 'r-3']) await start({ name, input: '{}' });
    const made = listings();
    const { running } = pass();
    for (const rolloutId of ['r-1', 'r-2', 'r-3']) expect(await running('rollout', rolloutId)).toBe(true);
    expect(made).toHaveLength(1);
  });

  it('are listed again for one who is not: it may have been started since', async () => {
    await create(waiting);
    await start({ name: 'r-1', input: '{}' });
    const made = listings();
    const { running } = pass();
    expect(await running('rollout', 'r-1')).toBe(true);
    await start({ name: 'r-2', input: '{}' });
    expect(await running('rollout', 'r-2')).toBe(true);
    expect(await running('rollout', 'r-9')).toBe(false);
    expect(made).toHaveLength(3);
  });

  it('are forgotten by the next pass', async () => {
    await create(waiting);
    await start({ name: 'r-1', input: '{}' });
    expect(await pass().running('rollout', 'r-1')).toBe(true);
    await clock.advance(3_600_000);
    expect(await pass().running('rollout', 'r-1')).toBe(false);
  });
});
